import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isBound, isRunning, start, stop, waitUntil } from './processes.ts';

// Callers and called phones: sipp, with the scenarios beside this file.

export interface Ports {
  readonly proxy: number;
  readonly called: number;
  readonly caller: number;
}

export interface Load {
  readonly callsPerSecond: number;
  readonly calls: number;
  readonly holdMilliseconds: number;
}

export interface Outcome {
  readonly made: number;
  readonly failed: number;
  readonly perSecond: number;
  readonly callerRetransmissions: number;
  readonly calledRetransmissions: number;
}

/** A run of sipp on both sides of the proxy. */
export interface Traffic {
  readonly caller: ChildProcess;
  readonly called: ChildProcess;
  readonly folder: string;
  readonly load: Load;
  readonly startedAt: number;
}

const PATIENCE_SECONDS = 60; // for calls that are still up when all have been placed
const BUFFER_BYTES = 4_000_000;

const scenario = (name: string): string => fileURLToPath(new URL(`${name}.xml`, import.meta.url));

export async function startTraffic(ports: Ports, load: Load, folder: string): Promise<Traffic> {
  const called = startSipp('uas', ports.called, [], folder);
  await bound(called, ports.called);
  const startedAt = performance.now();
  const caller = startSipp('uac', ports.caller, callerOptions(ports, load), folder);
  return { caller, called, folder, load, startedAt };
}

/** Waits until all calls have ended. */
export async function endOf(traffic: Traffic): Promise<Outcome> {
  if (isRunning(traffic.caller)) await once(traffic.caller, 'exit');
  const seconds = (performance.now() - traffic.startedAt - traffic.load.holdMilliseconds) / 1000;
  await sleep(1000); // the called side's last statistics
  await stopTraffic(traffic);
  const [caller, called] = [statistics(traffic.folder, 'uac'), statistics(traffic.folder, 'uas')];
  return {
    made: caller('TotalCallCreated'),
    failed: caller('TotalCallCreated') - caller('SuccessfulCall(C)'),
    perSecond: Math.round(caller('TotalCallCreated') / seconds),
    callerRetransmissions: caller('Retransmissions(C)'),
    calledRetransmissions: called('Retransmissions(C)'),
  };
}

export async function stopTraffic({ caller, called }: Traffic): Promise<void> {
  await stop(caller);
  await stop(called, 'SIGUSR1'); // in order: when its last calls are forgotten
}

/** How many calls are up now, and how many have been placed. */
export function callsNow(traffic: Traffic): { current: number; placed: number } {
  const caller = statistics(traffic.folder, 'uac');
  return { current: caller('CurrentCall'), placed: caller('TotalCallCreated') };
}

function callerOptions({ proxy }: Ports, { callsPerSecond, calls, holdMilliseconds }: Load): string[] {
  const seconds = Math.ceil(calls / callsPerSecond + holdMilliseconds / 1000) + PATIENCE_SECONDS;
  const rate = ['-r', String(callsPerSecond), '-m', String(calls), '-l', String(calls)];
  return [`127.0.0.1:${proxy}`, ...rate, '-d', String(holdMilliseconds), '-timeout', String(seconds)];
}

function startSipp(name: string, port: number, options: readonly string[], folder: string): ChildProcess {
  if (isBound(port)) throw new Error(`port ${port} is in use`);
  rmSync(statisticsFile(folder, name), { force: true });
  const address = ['-i', '127.0.0.1', '-p', String(port), '-buff_size', String(BUFFER_BYTES)];
  const reports = ['-trace_stat', '-stf', statisticsFile(folder, name), '-fd', '1', '-nostdin'];
  const errors = ['-trace_err', '-error_file', join(folder, `${name}-errors.log`)];
  const command = ['sipp', '-sf', scenario(name), ...address, ...reports, ...errors, ...options];
  return start(command, join(folder, `${name}.log`), folder);
}

async function bound(sipp: ChildProcess, port: number): Promise<void> {
  await waitUntil(() => !isRunning(sipp) || isBound(port), 5000);
  if (!isRunning(sipp)) throw new Error('sipp does not start; is it installed?');
}

const statisticsFile = (folder: string, name: string): string => join(folder, `${name}.csv`);

/** The newest line of sipp's statistics, by column. */
function statistics(folder: string, name: string): (column: string) => number {
  const file = statisticsFile(folder, name);
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []; // the last is not whole
  const [header, newest] = [lines[0]?.split(';') ?? [], lines.length > 1 ? lines.at(-1)!.split(';') : []];
  return (column) => Number(newest[header.indexOf(column)] ?? 0);
}
