/**
 * Titles and descriptions as vectors: tf-idf over hashed character n-grams, projected at random to few dimensions.
 * The same numbers as `tfrs_pipeline/features/text.py`.
 */

import { BUCKETS, type TextSpec } from "./spec.ts";

/** Places that a bucket has in the projection. */
const NONZEROS = 4;
const BLANKS = /[ \t\n\v\f\r\u00a0\u3000]+/;
/** Runs of what is normalized, see `_STABLE` in text.py. */
const STABLE =
  /[^\u0700-\u10ff\u1200-\u1dff\u2c00-\u2e7f\ua000-\uabff\ud7a4-\uf8ff\u{10000}-\u{1d3ff}\u{1d800}-\u{1f0ff}\u{1f300}-\u{10ffff}]+/gu;

/** Turns a text into a vector of length 1, or 0 where the text says nothing. */
export class HashedNgrams {
  readonly #spec: TextSpec;
  readonly #places: Uint32Array;
  readonly #signs: Float64Array;

  constructor(spec: TextSpec) {
    this.#spec = spec;
    ({ places: this.#places, signs: this.#signs } = projection(spec.dimension));
  }

  /** Text → [dimension]. */
  encode(text: string): Float32Array {
    const projected = new Float64Array(this.#spec.dimension);
    for (const [bucket, count] of this.#counts(text)) {
      const weight = Math.log1p(count) * this.#spec.idf[bucket];
      for (let i = bucket * NONZEROS; i < (bucket + 1) * NONZEROS; i++) {
        projected[this.#places[i]] += weight * this.#signs[i];
      }
    }
    const length = Math.sqrt(projected.reduce((sum, value) => sum + value * value, 0));
    return Float32Array.from(projected, (value) => length > 0 ? value / length : 0);
  }

  /** How often each bucket occurs. */
  #counts(text: string): Map<number, number> {
    const points = normalize(text, this.#spec.max_characters);
    const counts = new Map<number, number>();
    for (const size of this.#spec.ngram_sizes) {
      for (const hash of hashNgrams(points, size)) {
        const bucket = hash % BUCKETS;
        counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
      }
    }
    return counts;
  }
}

/**
 * Code points of the text, compatibility forms and case folded, blanks collapsed, one blank at each end.
 *
 * Lone surrogates, which UTF-8 cannot carry, become U+FFFD.
 */
export function normalize(text: string, maxCharacters: number): Uint32Array {
  const folded = firstPoints(text, maxCharacters).toWellFormed()
    // Every sigma is the same sigma: whether one ends a word is a question on which Unicode's versions may differ.
    .replace(STABLE, (run) => run.normalize("NFKC").replaceAll("Σ", "σ").toLowerCase());
  const words = folded.split(BLANKS).filter((word) => word !== "");
  return words.length === 0
    ? new Uint32Array(0)
    : Uint32Array.from(` ${words.join(" ")} `, (character) => character.codePointAt(0)!);
}

/** The first `count` code points; a text's length in JavaScript counts UTF-16 units. */
function firstPoints(text: string, count: number): string {
  if (text.length <= count) {
    return text;
  }
  let units = 0;
  for (let points = 0; points < count && units < text.length; points++) {
    units += text.codePointAt(units)! > 0xffff ? 2 : 1;
  }
  return text.slice(0, units);
}

/** A 32-bit hash of each n-gram: FNV-1a over code points, then `mix`. */
export function hashNgrams(points: Uint32Array, size: number): Uint32Array {
  const hashes = new Uint32Array(Math.max(0, points.length - size + 1));
  for (let start = 0; start < hashes.length; start++) {
    let hash = 0x811c9dc5;
    for (let i = start; i < start + size; i++) {
      hash = Math.imul(hash ^ points[i], 0x01000193);
    }
    hashes[start] = mix(hash);
  }
  return hashes;
}

/** MurmurHash3's 32-bit finalizer (Appleby, public domain). */
export function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The places that each bucket adds to, and by how much, NONZEROS for each bucket. */
function projection(dimension: number): { places: Uint32Array; signs: Float64Array } {
  const places = new Uint32Array(BUCKETS * NONZEROS);
  const signs = new Float64Array(places.length);
  for (let i = 0; i < places.length; i++) {
    const hash = mix(i + 1);
    signs[i] = (hash & 1 ? 1 : -1) / Math.sqrt(NONZEROS);
    places[i] = (hash >>> 1) % dimension;
  }
  return { places, signs };
}
