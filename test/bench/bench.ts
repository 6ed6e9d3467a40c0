import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Speed beside what a user would run instead, on the same machine in the same run; and memory per call.
// usage: make bench   (BENCH_PACKETS=1000000; peers: Debian's sngrep, sipgrep and tshark)

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'bench');
const PACKETS = Number(process.env['BENCH_PACKETS'] ?? 1_000_000);
const TSHARK_PACKETS = 50_000; // what it takes for a packet grows with the file
const captureOf = (packets: number): string => join(folder, `big-${packets}.pcap`);
const config = join(folder, 'bench.yaml');
const node = join(root, 'node_modules/.bin/node');

const RULES = `tenants: [{ extensions: ["*"] }]
callEvents:
  - { extension: "*", event: [dial-in, dial-out, answer-in, answer-out, hangup], method: POST, url: "http://127.0.0.1:8081/x" }
`;

interface Measurement {
  readonly name: string;
  readonly packets: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly megabytes: number;
}

/** Runs a command under `time`; undefined if it is not installed. */
function measure(name: string, command: readonly string[], packets = PACKETS): Measurement | undefined {
  const report = join(folder, 'time.txt');
  const { status, error } = spawnSync('/usr/bin/time', ['-o', report, '-f', '%e %U %S %M', ...command], {
    stdio: 'ignore',
  });
  if (error || status === 127) return undefined;
  const [seconds, user, system, kilobytes] = readFileSync(report, 'utf8')
    .trim()
    .split('\n')
    .at(-1)!
    .split(' ')
    .map(Number);
  return { name, packets, seconds: seconds!, cpuSeconds: user! + system!, megabytes: Math.round(kilobytes! / 1024) };
}

function makeCapture(packets: number): string {
  const capture = captureOf(packets);
  mkdirSync(folder, { recursive: true });
  writeFileSync(config, RULES);
  if (existsSync(capture)) return capture;
  const generator = join(root, '../shared/captures/mkbig.py');
  if (!existsSync(generator)) throw new Error(`the generator ${generator} is not here`);
  spawnSync('python3', [generator, capture, String(packets)], { stdio: 'inherit' });
  return capture;
}

function show({ name, packets, seconds, cpuSeconds, megabytes }: Measurement): void {
  const rate = Math.round(packets / seconds).toLocaleString('en');
  console.log(
    `${name.padEnd(10)} ${seconds.toFixed(2)} s, ${cpuSeconds.toFixed(2)} s of CPU, ${megabytes} MB, ${rate} messages/s`,
  );
}

const capture = makeCapture(PACKETS);
const small = makeCapture(TSHARK_PACKETS);
const replay = [
  node,
  '--max-semi-space-size=24',
  '--heap-growing-percent=150',
  join(root, 'src/main.ts'),
  'replay',
  '--dry-run',
  '--quiet',
  '--config',
  config,
  capture,
];
const own = [1, 2, 3].map((round) => measure(`ringside ${round}`, replay)!);
own.forEach(show);
const peers = [
  measure('sngrep', ['sngrep', '-N', '-q', '-l', '300000', '-I', capture, '-O', '/dev/null']),
  measure('sipgrep', ['sipgrep', '-I', capture, '-N']),
  measure(
    'tshark',
    [
      'tshark',
      '-r',
      small,
      '-Y',
      'sip',
      '-T',
      'fields',
      '-e',
      'sip.Call-ID',
      '-e',
      'sip.Method',
      '-e',
      'sip.Status-Code',
    ],
    TSHARK_PACKETS,
  ),
].filter((peer) => peer !== undefined);
peers.forEach(show);
const best = Math.min(...own.map(({ seconds }) => seconds / PACKETS));
for (const { name, seconds, packets } of peers) {
  console.log(`ringside is ${(seconds / packets / best).toFixed(1)} times as fast as ${name}`);
}

spawnSync(node, ['--expose-gc', join(root, 'test/bench/call-memory.ts')], { stdio: 'inherit' });
