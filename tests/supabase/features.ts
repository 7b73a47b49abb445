/** For test_features.py: answers one request a line on standard input with one line of JSON on standard output. */

import { type FeatureSpec, parseSpec } from "../../supabase/functions/_shared/spec.ts";
import { normalize } from "../../supabase/functions/_shared/text.ts";
import { parseTimestamp } from "../../supabase/functions/_shared/time.ts";
import { stateOf, UserEncoder } from "../../supabase/functions/_shared/users.ts";
import { VideoEncoder, type VideoRow } from "../../supabase/functions/_shared/videos.ts";

interface Request {
  /** A new specification for this request and those after it. */
  spec?: string;
  normalize?: string[];
  times?: string[];
  videos?: (VideoRow & { like_count: number; vector: number[] })[];
  users?: { video_id: string; created_at: string }[][];
}

let spec: FeatureSpec;

function answer(request: Request): unknown {
  if (request.spec !== undefined) {
    spec = parseSpec(request.spec);
  }
  const encoder = new VideoEncoder(spec);
  const users = new UserEncoder(spec);
  const videos = (request.videos ?? []).map((row) => ({
    ...encoder.encode(row, row.like_count),
    vector: row.vector,
    id: row.id,
  }));
  const known = new Map(videos.map((video) => [video.id, video]));
  return {
    normalize: request.normalize?.map((text) => [...normalize(text, spec.texts.title.max_characters)]),
    times: request.times?.map((text) => parseTimestamp(text)?.toString() ?? null),
    videos: videos.map(plain),
    users: request.users?.map((likes) => {
      const state = stateOf(
        spec,
        likes.map((like) => ({ video: like.video_id, at: parseTimestamp(like.created_at)! })),
      );
      return plain(users.encode(state, state.map((like) => known.get(like.video)!)));
    }),
  };
}

/** Typed arrays as JSON lists. */
function plain(inputs: object): object {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [name, ArrayBuffer.isView(value) ? [...value as Int32Array] : value]),
  );
}

let pieces: string[] = [];
for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  pieces.push(chunk);
  if (chunk.endsWith("\n")) { // The other side waits for an answer before it sends another line.
    console.log(JSON.stringify(answer(JSON.parse(pieces.join("")))));
    pieces = [];
  }
}
