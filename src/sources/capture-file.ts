import { open, stat } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CaptureError } from './capture-error.ts';
import type { ObservationSink } from '../sip/observation.ts';
import { CaptureReader } from './capture-reader.ts';
import { SourceCounts } from './source-counts.ts';

const CHUNK = 2 * 1024 * 1024;

export interface ReadCaptureOptions {
  readonly counts?: SourceCounts;
  /** Told after every chunk: bytes read of the file as it is stored, and its size where that is known. */
  readonly onBytes?: (read: number, total: number | undefined) => void;
  /** Stops reading; what was read so far counts. */
  readonly signal?: AbortSignal;
  /** Reading goes on when it is done. */
  readonly beforeNextChunk?: () => Promise<void> | undefined;
}

/**
 * Reads a pcap or pcapng file, gzip or not, `-` for standard input, and hands over each observation as soon as it is there.
 *
 * @throws CaptureError if it can't be opened or is no capture. What is damaged within it is counted.
 */
export async function readCapture(
  path: string,
  sink: ObservationSink,
  options: ReadCaptureOptions = {},
): Promise<void> {
  const counts = options.counts ?? new SourceCounts();
  const reader = new CaptureReader(sink, counts);
  const input = path === '-' ? { stream: process.stdin as Readable, size: undefined } : await openFile(path);
  let isEmpty = true;
  try {
    for await (const chunk of readChunks(input, counts, options)) {
      isEmpty = false;
      if (!reader.push(chunk)) throw new CaptureError(path, 'neither pcap nor pcapng, nor gzip of one');
      await options.beforeNextChunk?.();
      if (options.signal?.aborted) break;
    }
  } finally {
    input.stream.destroy();
  }
  if (isEmpty) throw new CaptureError(path, 'empty');
  if (!reader.end()) throw new CaptureError(path, 'too short to be a capture');
}

interface Input {
  readonly stream: Readable;
  readonly size: number | undefined;
}

async function openFile(path: string): Promise<Input> {
  try {
    const handle = await open(path);
    const info = await handle.stat();
    await handle.close();
    if (info.isDirectory()) throw new CaptureError(path, 'a directory, not a capture file');
    const { size } = await stat(path);
    return { stream: createReadStream(path, { highWaterMark: CHUNK }), size: info.isFile() ? size : undefined };
  } catch (error) {
    if (error instanceof CaptureError) throw error;
    throw new CaptureError(path, explain(error));
  }
}

function explain(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'no such file';
  return code === 'EACCES' || code === 'EPERM' ? 'not readable: permission denied' : message;
}

/** The capture's bytes, unpacked if they are gzip. */
async function* readChunks(
  { stream, size }: Input,
  counts: SourceCounts,
  options: ReadCaptureOptions,
): AsyncGenerator<Buffer> {
  const iterator = countBytes(stream, size, options)[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done) return;
  const rest = (async function* () {
    yield first.value;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  })();
  if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) yield* rest;
  else yield* unpack(rest, counts);
}

async function* countBytes(
  stream: Readable,
  size: number | undefined,
  { onBytes, signal }: ReadCaptureOptions,
): AsyncGenerator<Buffer> {
  let read = 0;
  const stop = (): unknown => stream.destroy();
  signal?.addEventListener('abort', stop);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      read += chunk.length;
      yield chunk;
      onBytes?.(read, size);
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** A gzip that is damaged or cut off gives what it gave up to there. */
async function* unpack(packed: AsyncIterable<Buffer>, counts: SourceCounts): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: CHUNK });
  const feeding = (async () => {
    for await (const chunk of packed) {
      if (!gunzip.write(chunk)) await new Promise((done) => gunzip.once('drain', done).once('close', done));
      if (gunzip.destroyed) return;
    }
    gunzip.end();
  })();
  try {
    yield* gunzip as AsyncIterable<Buffer>;
    await feeding;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_') !== true) throw error;
    counts.drop('gzip damaged or cut off');
  }
}
