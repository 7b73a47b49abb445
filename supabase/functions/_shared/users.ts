/**
 * User features: a pure function of a user's last likes, so that one more like costs the same whatever came before; see
 * `tfrs_pipeline/features/users.py`.
 */

import { betweenKnots } from "./knots.ts";
import { ACTIVITY, type FeatureSpec, HOUR_BANDS, profileSize, WEEKDAYS } from "./spec.ts";
import { floorDivide } from "./time.ts";
import type { VideoTokens } from "./videos.ts";

/** Added to the attention of places that hold no like. */
export const HIDDEN = -1e9;
const MICROSECONDS_AN_HOUR = 3_600_000_000n;
const MICROSECONDS_A_DAY = 86_400e6;
/** Logarithms of hours and days come to about 10; the division brings them near 1. */
const ACTIVITY_SCALE = 10;

/** A like: the id of the video, and microseconds since 1970-01-01 UTC. */
export interface Like {
  readonly video: string;
  readonly at: bigint;
}

/** The last `spec.window` likes of a user, oldest first. */
export type UserState = readonly Like[];

/** A liked video: its tokens and the item tower's vector. */
export interface LikedVideo extends VideoTokens {
  /** [dimension] */
  readonly vector: ArrayLike<number>;
}

/** What the user tower reads of a user. */
export interface UserInputs {
  /** Vectors of the last likes, oldest first, [window, dimension]. */
  readonly window: Float32Array;
  /** How much each like counts, [decay rates, window]. */
  readonly weights: Float32Array;
  /** How many likes ago, [window]; `window` where there is no like. */
  readonly ages: Int32Array;
  /** 0 where there is a like, HIDDEN elsewhere, [window]. */
  readonly mask: Float32Array;
  /** [profileSize] */
  readonly profile: Float32Array;
}

/** The state after one more like, which is not earlier than those before. */
export function fold(spec: FeatureSpec, state: UserState, like: Like): UserState {
  return [...state, like].slice(-spec.window);
}

/** The state of a user with these likes, in whatever order they come; likes of one moment go by the video's id. */
export function stateOf(spec: FeatureSpec, likes: readonly Like[]): UserState {
  return likes.toSorted(byTime).slice(-spec.window);
}

function byTime(one: Like, other: Like): number {
  if (one.at !== other.at) {
    return one.at < other.at ? -1 : 1;
  }
  return one.video < other.video ? -1 : one.video > other.video ? 1 : 0;
}

/** Turns states into what the user tower reads. */
export class UserEncoder {
  readonly #spec: FeatureSpec;
  readonly #column: ReadonlyMap<number, number>;

  constructor(spec: FeatureSpec) {
    this.#spec = spec;
    this.#column = new Map(spec.profile_tokens.map((token, column) => [token, column]));
  }

  /** @param videos the liked videos, one for each like of the state. */
  encode(state: UserState, videos: readonly LikedVideo[]): UserInputs {
    const { window: length, dimension, decay_rates: rates } = this.#spec;
    const inputs = {
      window: new Float32Array(length * dimension),
      weights: new Float32Array(rates.length * length),
      ages: new Int32Array(length).fill(length),
      mask: new Float32Array(length).fill(HIDDEN),
      profile: this.profile(state, videos),
    };
    rates.forEach((rate, i) => inputs.weights.set(recencyWeights(rate, state.length), i * length));
    state.forEach((_, i) => {
      inputs.window.set(videos[i].vector, i * dimension);
      inputs.ages[i] = state.length - 1 - i;
      inputs.mask[i] = 0;
    });
    return inputs;
  }

  /**
   * The profile of a user, [profileSize]: shares of the profile tokens, of hours and weekdays (UTC), weighted by
   * recency; then how many likes, the usual gap between them, the last gap, and the span; then the time of the last
   * like, as shares of `spec.moments`. All 0 without any like.
   */
  profile(state: UserState, videos: readonly VideoTokens[]): Float32Array {
    const sums = new Float64Array(profileSize(this.#spec));
    if (state.length === 0) {
      return Float32Array.from(sums);
    }
    const bands = this.#spec.profile_tokens.length;
    const weekdays = bands + HOUR_BANDS;
    const activity = weekdays + WEEKDAYS;
    const gaps = state.map(({ at }, i) => logTime(i === 0 ? 0n : at - state[i - 1].at, 1n));
    recencyWeights(this.#spec.decay_rates[0], state.length).forEach((weight, i) => {
      const { tokens, weights } = videos[i];
      tokens.forEach((token, place) => {
        const column = this.#column.get(token);
        if (column !== undefined) {
          sums[column] += weight * weights[place];
        }
      });
      const hour = floorDivide(state[i].at, MICROSECONDS_AN_HOUR);
      const day = floorDivide(hour, 24n);
      sums[bands + Math.floor(Number(hour - day * 24n) / (24 / HOUR_BANDS))] += weight;
      // 1970-01-01 was a Thursday; Monday is 0.
      sums[weekdays + Number(day + 3n - floorDivide(day + 3n, 7n) * 7n)] += weight;
      sums[activity + 1] += weight * gaps[i];
    });
    sums[activity] = Math.log1p(state.length) / Math.log1p(this.#spec.window);
    sums[activity + 2] = gaps[gaps.length - 1];
    const last = state[state.length - 1].at;
    sums[activity + 3] = logTime(last - state[0].at, 24n);
    const { below, above, share } = betweenKnots(this.#spec.moments, Number(last) / MICROSECONDS_A_DAY);
    sums[activity + ACTIVITY + below] += 1 - share;
    sums[activity + ACTIVITY + above] += share;
    return Float32Array.from(sums);
  }
}

/** How much each of `count` likes counts: exp(-rate * likes ago), in sum 1, as float32. */
export function recencyWeights(rate: number, count: number): Float32Array {
  const weights = Float64Array.from({ length: count }, (_, i) => Math.exp(-rate * (count - 1 - i)));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return Float32Array.from(weights, (weight) => weight / sum);
}

function logTime(microseconds: bigint, hours: bigint): number {
  return Math.log1p(Math.max(Number(microseconds), 0) / Number(hours * MICROSECONDS_AN_HOUR)) / ACTIVITY_SCALE;
}
