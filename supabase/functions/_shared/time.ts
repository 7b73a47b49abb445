/**
 * Moments as Postgres has them: microseconds since 1970-01-01 UTC. A JavaScript Date keeps milliseconds only, and the
 * gaps between likes would differ from Python's.
 */

const TIMESTAMP =
  /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?(?:Z|([+-])(\d\d)(?::?(\d\d)(?::?(\d\d))?)?)?$/;
/** As in `tfrs_pipeline/data/reading.py`: a time that Python has no name for is worth no more than none. */
const EARLIEST = BigInt(Date.parse("0001-01-02T00:00:00Z")) * 1000n;
const LATEST = BigInt(Date.parse("9999-12-31T00:00:00Z")) * 1000n;

/**
 * Read an ISO 8601 time as Postgres and PostgREST write it; without an offset it is UTC.
 *
 * @returns microseconds, or null where it is no time, infinite, before Christ, or after the year 9999.
 */
export function parseTimestamp(text: string): bigint | null {
  const match = TIMESTAMP.exec(text);
  if (match === null) {
    return null;
  }
  const [, date, minutes, seconds = "00", fraction = "", sign = "+", offsetHours, offsetMinutes, offsetSeconds] = match;
  const milliseconds = Date.parse(`${date}T${minutes}:${seconds}Z`);
  if (Number.isNaN(milliseconds)) {
    return null;
  }
  const offset = Number(offsetHours ?? 0) * 3600 + Number(offsetMinutes ?? 0) * 60 + Number(offsetSeconds ?? 0);
  const microseconds = BigInt(milliseconds) * 1000n + BigInt(fraction.padEnd(6, "0").slice(0, 6)) -
    BigInt(sign === "-" ? -offset : offset) * 1_000_000n;
  return microseconds >= EARLIEST && microseconds < LATEST ? microseconds : null;
}

/** Quotient rounded down, also below 0. */
export function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor < 0n ? quotient - 1n : quotient;
}
