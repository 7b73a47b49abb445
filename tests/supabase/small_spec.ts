import { BUCKETS, type FeatureSpec } from "../../supabase/functions/_shared/spec.ts";

/** The smallest specification that has everything. */
export const smallSpec: FeatureSpec = {
  format: 1,
  dimension: 4,
  videos: ["a", "b"],
  vocabularies: {
    genre: { offset: 1, values: ["drama"] },
    maker: { offset: 4, values: [] },
    performer: { offset: 6, values: [] },
    tag: { offset: 8, values: [] },
  },
  scales: {
    popularity: { offset: 10, knots: [0] },
    price: { offset: 12, knots: [0] },
    duration: { offset: 14, knots: [0] },
    published: { offset: 16, knots: [0] },
  },
  new_video_likes: 3,
  thumbnail: 18,
  tokens: 20,
  max_tokens: 13,
  texts: {
    title: {
      encoder: "hashed-ngrams",
      dimension: 3,
      ngram_sizes: [2],
      max_characters: 10,
      idf: Array(BUCKETS).fill(1),
    },
    description: {
      encoder: "hashed-ngrams",
      dimension: 2,
      ngram_sizes: [2],
      max_characters: 10,
      idf: Array(BUCKETS).fill(1),
    },
  },
  window: 3,
  decay_rates: [0.1, 1],
  profile_tokens: [1, 3],
  moments: [0, 10_000],
};
