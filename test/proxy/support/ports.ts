import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { accessSync, constants, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const POLL_MS = 20;
const LISTENING: Readonly<Record<string, string>> = { udp: '07', tcp: '0A' };

/** Where a program lies, or `NAME_BIN` says it does; undefined if it is not installed. */
export function findProgram(name: string): string | undefined {
  const told = process.env[`${name.toUpperCase()}_BIN`];
  if (told !== undefined && isExecutable(told)) return told;
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

// Below those that the kernel gives to connections, which come and go meanwhile.
const FIRST_PORT = 20_000;
const PORT_PAIRS = 6000;

/**
 * A port that is free over UDP and TCP at an address, for programs that can't say which one they got; and the one above it
 * over TCP, as some take that for TLS.
 */
export async function freePort(ip = '127.0.0.1'): Promise<number> {
  const port = FIRST_PORT + 2 * Math.floor(Math.random() * PORT_PAIRS);
  const checks = [isFreeOverUdp(ip, port), isFreeOverTcp(ip, port), isFreeOverTcp(ip, port + 1)];
  return (await Promise.all(checks)).every(Boolean) ? port : freePort(ip);
}

async function isFreeOverTcp(ip: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, ip);
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    await new Promise((done) => server.close(done));
  }
}

async function isFreeOverUdp(ip: string, port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind(port, ip);
    await once(socket, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

/** Whether something is bound there (UDP) or listens there (TCP), as the kernel says. */
export function isBound(transport: 'udp' | 'tcp', ip: string, port: number): boolean {
  const hex = Buffer.from(ip.split('.').map(Number).reverse()).toString('hex').toUpperCase();
  const local = `${hex}:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync(`/proc/net/${transport}`, 'latin1').split('\n');
  return rows.some((row) => {
    const [, address, , state] = row.trim().split(/\s+/);
    return address === local && state === LISTENING[transport];
  });
}

/** Asks again and again until it is so. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string, timeoutMs = 10_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await wait(POLL_MS);
  }
}

const SOON_MS = 8000;

/** What is awaited, or an error that says what did not happen. */
export async function soon<T>(awaited: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`waited ${SOON_MS} ms in vain: ${what}`)), SOON_MS);
  });
  return Promise.race([awaited, late]).finally(() => clearTimeout(timer));
}
