/** Item features: a video as a handful of weighted tokens and a text vector; see `tfrs_pipeline/features/videos.py`. */

import { betweenKnots } from "./knots.ts";
import {
  type FeatureSpec,
  LIST_FIELDS,
  type Scale,
  type ScaleName,
  SCALES,
  TEXT_FIELDS,
  type TextField,
  type Vocabulary,
} from "./spec.ts";
import { HashedNgrams } from "./text.ts";
import { parseTimestamp } from "./time.ts";

const MICROSECONDS_A_DAY = 86_400e6;

/** A Postgres array of any depth as JSON. */
type Values = string | null | readonly Values[];

/** A row of `videos` as PostgREST gives it; a field that is left out says the same as null. */
export interface VideoRow {
  readonly id: string;
  readonly title?: string | null;
  readonly description?: string | null;
  readonly genres?: Values;
  readonly maker?: string | null;
  readonly performers?: Values;
  readonly tags?: Values;
  /** A string where JSON has no number for it: "NaN", "Infinity". */
  readonly price?: number | string | null;
  readonly duration_seconds?: number | null;
  readonly thumbnail_url?: string | null;
  readonly published_at?: string | null;
}

/** A video's tokens and their weights, both [max_tokens], padded with PADDING of weight 0. */
export interface VideoTokens {
  readonly tokens: Int32Array;
  readonly weights: Float32Array;
}

/** What the item tower reads of a video. */
export interface VideoInputs extends VideoTokens {
  /** 1 + place in `spec.videos`, 0 for a video without an embedding of its own. */
  readonly video: number;
  /** [textSize] */
  readonly text: Float32Array;
}

/** All that the item tower reads. */
export class VideoEncoder {
  readonly #index: ReadonlyMap<string, number>;
  readonly #newVideoLikes: number;
  readonly #tokens: TokenEncoder;
  readonly #texts: readonly [TextField, HashedNgrams][];

  constructor(spec: FeatureSpec) {
    this.#index = new Map(spec.videos.map((id, i) => [id, i + 1]));
    this.#newVideoLikes = spec.new_video_likes;
    this.#tokens = new TokenEncoder(spec);
    this.#texts = TEXT_FIELDS.map((field) => [field, new HashedNgrams(spec.texts[field])]);
  }

  /** @param likeCount likes that the video has at the moment in question. */
  encode(row: VideoRow, likeCount: number): VideoInputs {
    const video = this.#index.get(row.id) ?? 0;
    return {
      video,
      ...this.#tokens.encode(row, video === 0 ? Math.max(likeCount, this.#newVideoLikes) : likeCount),
      text: Float32Array.from(this.#texts.flatMap(([field, encoder]) => [...encoder.encode(row[field] ?? "")])),
    };
  }
}

/** The tokens alone: all of a video, beside its vector, that a user's profile is made of. */
export class TokenEncoder {
  readonly #spec: FeatureSpec;
  readonly #lookups: readonly ReadonlyMap<string, number>[];

  constructor(spec: FeatureSpec) {
    this.#spec = spec;
    this.#lookups = LIST_FIELDS.map(([field]) => lookup(spec.vocabularies[field]));
  }

  /** @param likeCount likes that the video has at the moment in question; a profile does not depend on it. */
  encode(row: VideoRow, likeCount: number): VideoTokens {
    const numbers = videoNumbers(row, likeCount);
    const pairs = SCALES.flatMap((field) => scaleTokens(this.#spec.scales[field], numbers[field]));
    pairs.push([this.#spec.thumbnail + (row.thumbnail_url ? 0 : 1), 1]);
    LIST_FIELDS.forEach(([field, column], i) => {
      const { offset } = this.#spec.vocabularies[field];
      const values = distinctValues(row[column]);
      if (values.length === 0) {
        pairs.push([offset + 1, 1]);
      }
      for (const value of values) {
        pairs.push([this.#lookups[i].get(value) ?? offset, values.length ** -0.5]);
      }
    });
    const tokens = new Int32Array(this.#spec.max_tokens); // Filled with 0, which is PADDING.
    const weights = new Float32Array(this.#spec.max_tokens);
    pairs.slice(0, this.#spec.max_tokens).forEach(([token, weight], place) => {
      tokens[place] = token;
      weights[place] = weight;
    });
    return { tokens, weights };
  }
}

/** A Map, and not an object, because somebody's name is `constructor`. */
function lookup(vocabulary: Vocabulary): ReadonlyMap<string, number> {
  return new Map(vocabulary.values.map((value, i) => [value, vocabulary.offset + 2 + i]));
}

/** The values of a categorical field, trimmed of blanks, without empty and doubled ones, in their order. */
export function distinctValues(value: Values | undefined): string[] {
  const trimmed = strings(value).map((text) => text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ""));
  return [...new Set(trimmed)].filter((text) => text !== "");
}

function strings(value: Values | undefined): string[] {
  return typeof value === "string" ? [value] : (value ?? []).flatMap(strings);
}

/** The numbers of a video on the scales that they are measured on, NaN where missing or absurd. */
export function videoNumbers(row: VideoRow, likeCount: number): Record<ScaleName, number> {
  const published = parseTimestamp(row.published_at ?? "");
  return {
    popularity: Math.log1p(likeCount),
    price: log1pOfPlausible(row.price ?? NaN),
    duration: log1pOfPlausible(row.duration_seconds || NaN),
    published: published === null ? NaN : Number(published) / MICROSECONDS_A_DAY,
  };
}

function log1pOfPlausible(value: number | string): number {
  const number = Number(value);
  return Number.isFinite(number) && number >= 0 ? Math.log1p(number) : NaN;
}

/** A number as the tokens of the knots below and above it, and how near each is. */
export function scaleTokens(scale: Scale, value: number): [token: number, weight: number][] {
  const { offset, knots } = scale;
  if (Number.isNaN(value)) {
    return [[offset, 1], [offset, 0]];
  }
  const { below, above, share } = betweenKnots(knots, value);
  return [[offset + 1 + below, 1 - share], [offset + 1 + above, share]];
}
