/** The two towers: stock TF.js layers models that turn features into unit vectors. */

import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { type LayersModel, loadLayersModel } from "@tensorflow/tfjs-layers";
import { type FeatureSpec, profileSize, textSize } from "./spec.ts";
import type { UserInputs } from "./users.ts";
import type { VideoInputs } from "./videos.ts";

/** Predicted together: enough to be quick, few enough that the windows of a batch stay small in memory. */
const BATCH = 64;

/** Reads a file of a bundle, by its path inside the bundle. */
export type ReadFile = (path: string) => Promise<Uint8Array>;

/** A tower; `dispose()` it when another takes its place. */
export type Tower = LayersModel;

/**
 * Load a tower from wherever a bundle lies.
 *
 * @param folder `user_tower` or `item_tower`.
 */
export async function loadTower(readFile: ReadFile, folder: string): Promise<Tower> {
  // Otherwise the CPU backend takes Deno for Node and advertises a native backend on every start.
  tf.env().set("IS_NODE", false);
  await tf.ready();
  return await loadLayersModel({ load: () => readArtifacts(readFile, folder) });
}

async function readArtifacts(readFile: ReadFile, folder: string): Promise<tf.io.ModelArtifacts> {
  const model: tf.io.ModelJSON = JSON.parse(new TextDecoder().decode(await readFile(`${folder}/model.json`)));
  return await tf.io.getModelArtifactsForJSON(model, async (manifest) => {
    const shards = await Promise.all(
      manifest.flatMap((group) => group.paths).map((path) => readFile(`${folder}/${path}`)),
    );
    const specs = manifest.flatMap((group) => group.weights);
    return [specs, tf.io.concatenateArrayBuffers(shards.map((shard) => new Uint8Array(shard).buffer))];
  });
}

/** Vectors of videos, each [dimension] and of length 1. */
export function embedVideos(tower: Tower, spec: FeatureSpec, videos: readonly VideoInputs[]): Float32Array[] {
  // By position: the names of a model's inputs get a suffix when it is loaded a second time.
  return embed(tower, spec, videos, (batch) => [
    tf.tensor2d(batch.map((video) => video.video), [batch.length, 1], "int32"),
    tf.tensor2d(joined(batch.map((video) => video.tokens), Int32Array), [batch.length, spec.max_tokens], "int32"),
    tf.tensor2d(joined(batch.map((video) => video.weights), Float32Array), [batch.length, spec.max_tokens]),
    tf.tensor2d(joined(batch.map((video) => video.text), Float32Array), [batch.length, textSize(spec)]),
  ]);
}

/** Vectors of users, each [dimension] and of length 1. */
export function embedUsers(tower: Tower, spec: FeatureSpec, users: readonly UserInputs[]): Float32Array[] {
  const { window: length, dimension, decay_rates: rates } = spec;
  return embed(tower, spec, users, (batch) => [
    tf.tensor3d(joined(batch.map((user) => user.window), Float32Array), [batch.length, length, dimension]),
    tf.tensor3d(joined(batch.map((user) => user.weights), Float32Array), [batch.length, rates.length, length]),
    tf.tensor2d(joined(batch.map((user) => user.ages), Int32Array), [batch.length, length], "int32"),
    tf.tensor2d(joined(batch.map((user) => user.mask), Float32Array), [batch.length, length]),
    tf.tensor2d(joined(batch.map((user) => user.profile), Float32Array), [batch.length, profileSize(spec)]),
  ]);
}

function embed<Inputs>(
  tower: Tower,
  spec: FeatureSpec,
  rows: readonly Inputs[],
  tensors: (batch: readonly Inputs[]) => tf.Tensor[],
): Float32Array[] {
  const vectors: Float32Array[] = [];
  for (let start = 0; start < rows.length; start += BATCH) {
    const batch = rows.slice(start, start + BATCH);
    const flat = tf.tidy(() => (tower.predictOnBatch(tensors(batch)) as tf.Tensor).dataSync<"float32">());
    batch.forEach((_, i) => vectors.push(flat.slice(i * spec.dimension, (i + 1) * spec.dimension)));
  }
  return vectors;
}

/** Rows of one length, one after another. */
function joined<Row extends Int32Array | Float32Array>(rows: readonly Row[], type: new (length: number) => Row): Row {
  const length = rows[0].length;
  const all = new type(rows.length * length);
  rows.forEach((row, i) => all.set(row, i * length));
  return all;
}
