import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { CaptureError } from '../../src/sources/capture-error.ts';
import { readCapture } from '../../src/sources/capture-file.ts';
import { SourceCounts } from '../../src/sources/source-counts.ts';
import { ethernet, ipv4, pcap, SIP, udp } from './packets.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringside-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const capture = pcap(['a', 'b', 'c'].map((id) => ethernet(ipv4(udp(SIP(id))))));

function put(name: string, bytes: Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

async function read(path: string): Promise<{ messages: number; drops: Record<string, number> }> {
  const counts = new SourceCounts();
  let messages = 0;
  await readCapture(path, () => messages++, { counts });
  return { messages, drops: Object.fromEntries(counts.drops) };
}

t.test('files that are read', async (t) => {
  t.strictSame(await read(put('plain.pcap', capture)), { messages: 3, drops: {} });
  t.strictSame(await read(put('gzip.pcap', gzipSync(capture))), { messages: 3, drops: {} }, 'gzip, whatever its name');
  const half = gzipSync(pcap(Array.from({ length: 500 }, (_, i) => ethernet(ipv4(udp(SIP(`c${i}`)))))));
  const cut = await read(put('cut.gz', half.subarray(0, -100)));
  t.ok(cut.messages > 400, `${cut.messages} messages of a gzip that is cut off`);
  t.equal(cut.drops['gzip damaged or cut off'], 1);
  t.strictSame(
    await read(put('header.pcap', capture.subarray(0, 24))),
    { messages: 0, drops: {} },
    'a capture without packets',
  );
});

t.test('files that are none', async (t) => {
  const rows: [path: string, problem: string][] = [
    [join(folder, 'missing'), 'no such file'],
    [folder, 'a directory, not a capture file'],
    [put('empty', Buffer.alloc(0)), 'empty'],
    [put('short', Buffer.from('ab')), 'too short to be a capture'],
    [put('text', Buffer.from('this is just text'.repeat(100))), 'neither pcap nor pcapng, nor gzip of one'],
    [put('text.gz', gzipSync('this is just text'.repeat(100))), 'neither pcap nor pcapng, nor gzip of one'],
  ];
  for (const [path, problem] of rows) await t.rejects(read(path), new CaptureError(path, problem), problem);
});

t.test('progress, pause and stop', async (t) => {
  const path = put(
    'big.pcap',
    pcap(Array.from({ length: 30_000 }, (_, i) => ethernet(ipv4(udp(SIP(`c${i}`, 'x'.repeat(100))))))),
  );
  const shown: [number, number | undefined][] = [];
  let pauses = 0;
  let messages = 0;
  const stop = new AbortController();
  await readCapture(path, () => messages++, {
    signal: stop.signal,
    onBytes: (bytes, total) => shown.push([bytes, total]),
    beforeNextChunk: async () => {
      pauses++;
      stop.abort();
      await Promise.resolve();
    },
  });
  t.equal(pauses, 1);
  t.ok(messages > 0 && messages < 30_000, `${messages} messages before the stop`);
});
