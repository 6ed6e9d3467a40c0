#!/usr/bin/env -S node --max-semi-space-size=24 --heap-growing-percent=150
import { enableCompileCache } from 'node:module';

enableCompileCache(); // makes the second start and all after it faster
const { runCommandLine } = await import('./commands/command-line.ts');

process.exitCode = await runCommandLine(process.argv.slice(2));
