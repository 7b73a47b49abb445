import { deepStrictEqual, throws } from "node:assert";
import { BUCKETS, type FeatureSpec, parseSpec, SpecError } from "../../supabase/functions/_shared/spec.ts";
import { smallSpec } from "./small_spec.ts";

Deno.test("a specification is read as it was written", () => {
  deepStrictEqual(parseSpec(JSON.stringify(smallSpec)), smallSpec);
});

const damages: [name: string, damage: (spec: Writable<FeatureSpec>) => void, said: RegExp][] = [
  ["another format", (spec) => spec.format = 2, /format 2; this version reads 1/],
  ["a dimension that is no number", (spec) => spec.dimension = NaN, /dimension has to be/],
  ["no videos", (spec) => spec.videos = undefined, /videos has to be a list of ids/],
  ["a field without a vocabulary", (spec) => delete spec.vocabularies.tag, /vocabularies.tag/],
  ["a vocabulary past the token table", (spec) => spec.vocabularies.tag.offset = 19, /table of 20 tokens/],
  ["a scale without knots", (spec) => spec.scales.price.knots = [], /scales.price/],
  ["a thumbnail past the token table", (spec) => spec.thumbnail = 19, /thumbnail/],
  ["a text encoder that is not known", (spec) => spec.texts.title.encoder = "other", /texts.title.encoder/],
  ["too few text weights", (spec) => spec.texts.description.idf.pop(), new RegExp(`idf has to be ${BUCKETS} numbers`)],
  ["a profile of a token that does not exist", (spec) => spec.profile_tokens = [20], /profile_tokens/],
  ["likes of a new video below 0", (spec) => spec.new_video_likes = -1, /new_video_likes/],
  ["no moments", (spec) => spec.moments = [], /moments has to be a list of days/],
];

for (const [name, damage, said] of damages) {
  Deno.test(`a specification with ${name} is refused with a sentence`, () => {
    const spec = structuredClone(smallSpec);
    damage(spec);
    throws(
      () => parseSpec(JSON.stringify(spec)),
      (error: Error) => error instanceof SpecError && said.test(error.message),
    );
  });
}

Deno.test("what is not JSON, or nothing at all, is refused with a sentence", () => {
  for (const text of ["", "{", "null", "[]"]) {
    throws(() => parseSpec(text), SpecError);
  }
});

// deno-lint-ignore no-explicit-any
type Writable<T> = { -readonly [K in keyof T]: any };
