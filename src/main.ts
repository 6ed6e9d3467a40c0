#!/usr/bin/env -S node --max-semi-space-size=24 --heap-growing-percent=150
import { enableCompileCache } from 'node:module';
import { env } from 'node:process';

// Threads that look names up and hash passwords: more than one name server that does not answer can hold.
env.UV_THREADPOOL_SIZE ??= '16';
enableCompileCache(); // makes the second start and all after it faster
const { runCommandLine } = await import('./commands/command-line.ts');

process.exitCode = await runCommandLine(process.argv.slice(2));
