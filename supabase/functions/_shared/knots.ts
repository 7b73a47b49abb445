/** Numbers as places between two knots of a scale; see `tfrs_pipeline/features/knots.py`. */

/**
 * The knots below and above a number, by place, and how far it is on its way from one to the other; a number beyond the
 * ends counts as the end.
 */
export function betweenKnots(knots: readonly number[], value: number): { below: number; above: number; share: number } {
  const last = knots.length - 1;
  const inside = Math.min(Math.max(value, knots[0]), knots[last]);
  const below = Math.max(Math.min(knots.findLastIndex((knot) => knot <= inside), last - 1), 0);
  const above = Math.min(below + 1, last);
  const step = knots[above] - knots[below];
  return { below, above, share: step > 0 ? (inside - knots[below]) / step : 0 };
}
