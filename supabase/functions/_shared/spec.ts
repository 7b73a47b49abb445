/**
 * The feature specification as `features.json` holds it: read, checked and typed. What it means is said in
 * `tfrs_pipeline/features/spec.py`; names are those of the file.
 */

export const FORMAT = 1;
/** The token that stands where a video has no further token; its weight is 0. */
export const PADDING = 0;
/** Hash buckets of the text encoder; a power of two, so that a bucket is the low bits of a hash. */
export const BUCKETS = 8192;
/** Bands of three hours, UTC. */
export const HOUR_BANDS = 8;
export const WEEKDAYS = 7;
export const ACTIVITY = 4;

/** The categorical fields in the order in which their tokens stand, with the columns they come from. */
export const LIST_FIELDS = [
  ["genre", "genres"],
  ["maker", "maker"],
  ["performer", "performers"],
  ["tag", "tags"],
] as const;

/** The numbers of a video, in the order in which its row of tokens holds them. */
export const SCALES = ["popularity", "price", "duration", "published"] as const;

/** The texts of a video, each read by itself. */
export const TEXT_FIELDS = ["title", "description"] as const;

export type TextField = typeof TEXT_FIELDS[number];
export type ListField = typeof LIST_FIELDS[number][0];
export type ScaleName = typeof SCALES[number];

/** Token `offset` is an unknown value, `offset + 1` a field without any, `offset + 2 + i` is `values[i]`. */
export interface Vocabulary {
  readonly offset: number;
  readonly values: readonly string[];
}

/** Token `offset` is a missing number, `offset + 1 + i` is `knots[i]`. */
export interface Scale {
  readonly offset: number;
  readonly knots: readonly number[];
}

export interface TextSpec {
  readonly encoder: string;
  readonly dimension: number;
  readonly ngram_sizes: readonly number[];
  readonly max_characters: number;
  readonly idf: readonly number[];
}

export interface FeatureSpec {
  readonly format: number;
  /** Length of user and video vectors. */
  readonly dimension: number;
  /** Ids of the videos with an embedding of their own; index 0 is every other video, `1 + i` is `videos[i]`. */
  readonly videos: readonly string[];
  readonly vocabularies: Readonly<Record<ListField, Vocabulary>>;
  readonly scales: Readonly<Record<ScaleName, Scale>>;
  /** A video without an embedding of its own counts as having at least so many likes. */
  readonly new_video_likes: number;
  /** Token of a video with a thumbnail; the one after it is for those without. */
  readonly thumbnail: number;
  /** Size of the token table. */
  readonly tokens: number;
  readonly max_tokens: number;
  /** What comes out stands one after the other. */
  readonly texts: Readonly<Record<TextField, TextSpec>>;
  /** The last likes that describe a user. */
  readonly window: number;
  readonly decay_rates: readonly number[];
  readonly profile_tokens: readonly number[];
  /** Knots of the time of a user's last like, in days since 1970-01-01 UTC. */
  readonly moments: readonly number[];
}

/** `features.json` cannot be used; the message says what is wrong with it. */
export class SpecError extends Error {
  override name = "SpecError";
}

/** Length of a video's text vector. */
export function textSize(spec: FeatureSpec): number {
  return TEXT_FIELDS.reduce((size, field) => size + spec.texts[field].dimension, 0);
}

/** Length of a user's profile: shares of tokens, hours, weekdays, activity, and moments. */
export function profileSize(spec: FeatureSpec): number {
  return spec.profile_tokens.length + HOUR_BANDS + WEEKDAYS + ACTIVITY + spec.moments.length;
}

/**
 * Read `features.json`.
 *
 * A token out of its table makes TF.js throw in the middle of a prediction, so all offsets are checked here.
 *
 * @throws {SpecError} it is no such file, of another format, or its parts do not fit together.
 */
export function parseSpec(json: string): FeatureSpec {
  let raw: unknown;
  try {
    raw = JSON.parse(json);
  } catch {
    throw new SpecError("features.json is not JSON.");
  }
  const format = (raw as { format?: unknown } | null)?.format;
  if (format !== FORMAT) {
    throw new SpecError(`features.json has feature format ${format}; this version reads ${FORMAT}.`);
  }
  const spec = raw as FeatureSpec;
  for (const name of ["dimension", "thumbnail", "tokens", "max_tokens", "window"] as const) {
    check(isCount(spec[name]) && spec[name] > 0, name, "a whole number above 0");
  }
  check(isListOf(spec.videos, "string"), "videos", "a list of ids");
  checkTable("thumbnail", spec.thumbnail, 2, spec);
  for (const [field] of LIST_FIELDS) {
    const vocabulary = spec.vocabularies?.[field];
    check(isListOf(vocabulary?.values, "string"), `vocabularies.${field}`, "an offset and a list of values");
    checkTable(`vocabularies.${field}`, vocabulary.offset, vocabulary.values.length + 2, spec);
  }
  for (const field of SCALES) {
    const scale = spec.scales?.[field];
    check(isListOf(scale?.knots, "number") && scale.knots.length > 0, `scales.${field}`, "an offset and knots");
    checkTable(`scales.${field}`, scale.offset, scale.knots.length + 1, spec);
  }
  check(typeof spec.new_video_likes === "number" && spec.new_video_likes >= 0, "new_video_likes", "a number from 0 up");
  for (const field of TEXT_FIELDS) {
    checkText(`texts.${field}`, spec.texts?.[field]);
  }
  check(isListOf(spec.decay_rates, "number") && spec.decay_rates.length > 0, "decay_rates", "a list of numbers");
  check(isListOf(spec.profile_tokens, "number"), "profile_tokens", "a list of tokens");
  for (const token of spec.profile_tokens) {
    checkTable("profile_tokens", token, 1, spec);
  }
  check(isListOf(spec.moments, "number") && spec.moments.length > 0, "moments", "a list of days");
  return spec;
}

function checkText(name: string, text: TextSpec | undefined): void {
  check(text?.encoder === "hashed-ngrams", `${name}.encoder`, "hashed-ngrams, the only one known here");
  check(isCount(text.dimension) && text.dimension > 0, `${name}.dimension`, "a whole number above 0");
  check(isCount(text.max_characters), `${name}.max_characters`, "a whole number");
  check(isListOf(text.ngram_sizes, "number"), `${name}.ngram_sizes`, "a list of lengths");
  check(isListOf(text.idf, "number") && text.idf.length === BUCKETS, `${name}.idf`, `${BUCKETS} numbers`);
}

function checkTable(name: string, offset: number, size: number, spec: FeatureSpec): void {
  const fits = isCount(offset) && offset > PADDING && offset + size <= spec.tokens;
  check(fits, name, `within the table of ${spec.tokens} tokens`);
}

function check(holds: boolean, name: string, right: string): asserts holds {
  if (!holds) {
    throw new SpecError(`features.json is damaged: ${name} has to be ${right}.`);
  }
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}

function isListOf(value: unknown, type: "string" | "number"): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === type);
}
