import { deepStrictEqual } from "node:assert";
import { fold, stateOf, UserEncoder, type UserState } from "../../supabase/functions/_shared/users.ts";
import { smallSpec } from "./small_spec.ts";

const likes = [5n, 1n, 3n, 3n, 2n, -4n].map((at, i) => ({ video: `video ${9 - i}`, at }));
const inOrder = ["video 4", "video 8", "video 5", "video 6", "video 7", "video 9"];

Deno.test("folding likes one by one gives the state of all of them", () => {
  let state: UserState = [];
  inOrder.forEach((video, i) => {
    state = fold(smallSpec, state, likes.find((like) => like.video === video)!);
    deepStrictEqual(state.map((like) => like.video), inOrder.slice(Math.max(0, i + 1 - smallSpec.window), i + 1));
  });
  deepStrictEqual(stateOf(smallSpec, likes), state);
  deepStrictEqual(stateOf(smallSpec, likes.toReversed()), state);
});

Deno.test("a user without likes has weights and a profile of 0", () => {
  const inputs = new UserEncoder(smallSpec).encode([], []);
  for (const numbers of [inputs.window, inputs.weights, inputs.profile]) {
    deepStrictEqual(numbers.some((number) => number !== 0), false);
  }
});
