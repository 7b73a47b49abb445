import { deepStrictEqual, ok } from "node:assert";
import * as tf from "@tensorflow/tfjs-core";
import { input, layers, model, type SymbolicTensor } from "@tensorflow/tfjs-layers";
import { profileSize, textSize } from "../../supabase/functions/_shared/spec.ts";
import { embedUsers, embedVideos, loadTower, type ReadFile } from "../../supabase/functions/_shared/towers.ts";
import { UserEncoder } from "../../supabase/functions/_shared/users.ts";
import { VideoEncoder } from "../../supabase/functions/_shared/videos.ts";
import { smallSpec } from "./small_spec.ts";

const SHARD_BYTES = 64;

/** A tower with weights at random, as files of a bundle with many shards. */
async function towerFiles(shapes: [shape: number[], type: "int32" | "float32"][]): Promise<ReadFile> {
  const inputs = shapes.map(([shape, dtype]) => input({ shape, dtype }));
  const flat = inputs.map((one, i) => {
    const numbers = shapes[i][1] === "int32"
      ? layers.embedding({ inputDim: smallSpec.tokens, outputDim: 2 }).apply(one) as SymbolicTensor
      : one;
    return numbers.shape.length > 2 ? layers.flatten().apply(numbers) as SymbolicTensor : numbers;
  });
  const output = layers.dense({ units: smallSpec.dimension }).apply(layers.concatenate().apply(flat)) as SymbolicTensor;
  const files = new Map<string, Uint8Array>();
  const tower = model({ inputs, outputs: output });
  await tower.save(tf.io.withSaveHandler((artifacts) => {
    const weights = new Uint8Array(artifacts.weightData as ArrayBuffer);
    const paths = [];
    for (let start = 0; start < weights.length; start += SHARD_BYTES) {
      paths.push(`shard${start}.bin`);
      files.set(`tower/shard${start}.bin`, weights.slice(start, start + SHARD_BYTES));
    }
    const { modelTopology, weightSpecs } = artifacts;
    const json = { modelTopology, weightsManifest: [{ paths, weights: weightSpecs }] };
    files.set("tower/model.json", new TextEncoder().encode(JSON.stringify(json)));
    return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } });
  }));
  tower.dispose();
  return (path) => Promise.resolve(files.get(path)!);
}

const encoder = new VideoEncoder(smallSpec);
const videos = Array.from({ length: 150 }, (_, i) => encoder.encode({ id: i % 2 ? "a" : "new", title: `${i}` }, i));

Deno.test("vectors come in the order of the rows, whatever the size of the batches", async () => {
  const tower = await loadTower(
    await towerFiles([[[1], "int32"], [[13], "int32"], [[13], "float32"], [[textSize(smallSpec)], "float32"]]),
    "tower",
  );
  const vectors = embedVideos(tower, smallSpec, videos);
  deepStrictEqual(vectors.length, videos.length);
  vectors.forEach((vector, i) => {
    const [alone] = embedVideos(tower, smallSpec, [videos[i]]);
    deepStrictEqual(vector.length, smallSpec.dimension);
    ok(vector.every((number, place) => Math.abs(number - alone[place]) < 1e-6));
  });
  ok(vectors[0].some((number, place) => number !== vectors[1][place]));
  deepStrictEqual(embedVideos(tower, smallSpec, []), []);
  tower.dispose();
});

Deno.test("loading, predicting and disposing leave no tensor behind", async () => {
  const files = await towerFiles([
    [[3, 4], "float32"],
    [[2, 3], "float32"],
    [[3], "int32"],
    [[3], "float32"],
    [[profileSize(smallSpec)], "float32"],
  ]);
  const before = tf.memory().numTensors;
  for (let round = 0; round < 3; round++) {
    const tower = await loadTower(files, "tower");
    const state = [{ video: "a", at: 0n }, { video: "new", at: 1n }];
    const liked = videos.slice(0, 2).map((video) => ({ ...video, vector: [1, 0, 0, 0] }));
    const user = new UserEncoder(smallSpec).encode(state, liked);
    deepStrictEqual(embedUsers(tower, smallSpec, [user, user]).length, 2);
    tower.dispose();
  }
  deepStrictEqual(tf.memory().numTensors, before);
});
