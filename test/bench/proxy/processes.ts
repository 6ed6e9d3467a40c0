import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

// Starting and stopping programs, and what they use, from Linux's /proc.

const TICKS_PER_SECOND = 100; // getconf CLK_TCK
const STOP_MILLISECONDS = 15_000;

/** Starts a program whose output goes to a file. */
export function start(command: readonly string[], log: string, folder?: string): ChildProcess {
  const output = openSync(log, 'w');
  const [program, ...options] = command;
  const child = spawn(program!, options, { stdio: ['ignore', output, output], ...(folder && { cwd: folder }) });
  child.on('error', () => {}); // not installed: then it has no pid
  closeSync(output);
  return child;
}

export const isRunning = (child: ChildProcess): boolean =>
  child.pid !== undefined && child.exitCode === null && child.signalCode === null;

/** Asks a program to end; what is left of it and its children after a while is killed. */
export async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (!isRunning(child)) return;
  const tree = processTree(child.pid!);
  const ended = once(child, 'exit').then(() => true);
  child.kill(signal);
  if (await Promise.race([ended, sleep(STOP_MILLISECONDS, false, { ref: false })])) return;
  for (const pid of tree) kill(pid);
  await ended;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended meanwhile
  }
}

export async function waitUntil(condition: () => boolean, milliseconds: number): Promise<boolean> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    if (condition()) return true;
    await sleep(50);
  }
  return condition();
}

/** Whether some program has the UDP port. */
export function isBound(port: number): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/udp', 'utf8')
    .split('\n')
    .some((line) => line.trim().split(/\s+/)[1]?.endsWith(suffix));
}

/** CPU time of a program, all its threads and children, those that ended too. */
export function cpuMicroseconds(pid: number): number {
  const ticks = processTree(pid).flatMap((each) => statOf(each).slice(11, 15).map(Number)); // utime to cstime
  return (ticks.reduce((sum, each) => sum + each, 0) / TICKS_PER_SECOND) * 1e6;
}

/** Resident memory of a program and its children; what they share counts once. */
export const residentBytes = (pid: number): number =>
  processTree(pid).reduce((sum, each) => sum + proportionalBytes(each), 0);

export const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;

/** Looks at the memory every half second; the function it returns ends that and tells the most there was. */
export function watchMemory(pid: number): () => number {
  let peak = residentBytes(pid);
  const look = (): void => void (peak = Math.max(peak, residentBytes(pid)));
  const timer = setInterval(look, 500);
  return () => {
    clearInterval(timer);
    look();
    return peak;
  };
}

function proportionalBytes(pid: number): number {
  const kilobytes = /^Pss:\s+(\d+)/m.exec(textOf(`/proc/${pid}/smaps_rollup`))?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

function processTree(root: number): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Boolean);
  const parents = new Map(pids.map((pid) => [pid, Number(statOf(pid)[1])]));
  const tree = [root];
  for (const parent of tree) tree.push(...pids.filter((pid) => parents.get(pid) === parent)); // grows as it is read
  return tree;
}

/** The fields after the program's name: state, parent, … */
function statOf(pid: number): string[] {
  const text = textOf(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** Empty if the process has ended. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
