/**
 * Recomputes the golden vectors of a bundle: raw videos and likes through the TypeScript features and the towers, as the
 * Edge Functions do it. Prints how far they are from what Python gave, as one JSON object.
 *
 * It runs in the bundle's folder: deno run --config=…/supabase/functions/deno.json --allow-read=. …/export/check.ts
 */

import { parseSpec } from "../supabase/functions/_shared/spec.ts";
import { parseTimestamp } from "../supabase/functions/_shared/time.ts";
import { embedUsers, embedVideos, loadTower } from "../supabase/functions/_shared/towers.ts";
import { stateOf, UserEncoder } from "../supabase/functions/_shared/users.ts";
import { VideoEncoder, type VideoRow } from "../supabase/functions/_shared/videos.ts";

/** `golden.json`, see golden.py. */
interface Golden {
  videos: (VideoRow & { like_count: number; vector: number[] })[];
  users: { likes: { video_id: string; created_at: string }[]; vector: number[] }[];
}

const TIMED_PREDICTIONS = 15;

const spec = parseSpec(await Deno.readTextFile("features.json"));
const golden: Golden = JSON.parse(await Deno.readTextFile("golden.json"));

const itemTower = await loadTower(Deno.readFile, "item_tower");
const videoEncoder = new VideoEncoder(spec);
const videoInputs = golden.videos.map((row) => videoEncoder.encode(row, row.like_count));
const videoVectors = embedVideos(itemTower, spec, videoInputs);
itemTower.dispose();

const userTower = await loadTower(Deno.readFile, "user_tower");
const userEncoder = new UserEncoder(spec);
const liked = new Map(golden.videos.map(({ id }, i) => [id, { ...videoInputs[i], vector: videoVectors[i] }]));
const userInputs = golden.users.map(({ likes }) => {
  const state = stateOf(spec, likes.map((like) => ({ video: like.video_id, at: parseTimestamp(like.created_at)! })));
  return userEncoder.encode(state, state.map((like) => liked.get(like.video)!));
});
const userVectors = embedUsers(userTower, spec, userInputs);

const times = Array.from({ length: TIMED_PREDICTIONS }, (_, i) => {
  const start = performance.now();
  embedUsers(userTower, spec, [userInputs[i % userInputs.length]]);
  return performance.now() - start;
}).sort((one, other) => one - other);

console.log(JSON.stringify({
  videos: comparison(videoVectors, golden.videos.map((video) => video.vector)),
  users: comparison(userVectors, golden.users.map((user) => user.vector)),
  user_predict_ms: times[Math.floor(times.length / 2)],
}));

/** A number that is not finite comes out as null, which passes no test. */
function comparison(ours: Float32Array[], theirs: number[][]) {
  const cosines = ours.map((vector, i) => dot(vector, theirs[i]) / length(vector) / length(theirs[i]));
  const worst = cosines.reduce((at, cosine, i) => cosine >= cosines[at] ? at : i, 0);
  return {
    count: ours.length,
    min_cosine: Math.min(...cosines),
    worst,
    max_length_error: Math.max(...ours.map((vector) => Math.abs(length(vector) - 1))),
  };
}

function dot(one: ArrayLike<number>, other: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < other.length; i++) {
    sum += one[i] * other[i];
  }
  return sum;
}

function length(vector: ArrayLike<number>): number {
  return Math.sqrt(dot(vector, vector));
}
