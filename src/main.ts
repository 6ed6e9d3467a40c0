#!/usr/bin/env -S node --max-semi-space-size=24 --heap-growing-percent=150
import { runCommandLine } from './commands/command-line.ts';

process.exitCode = await runCommandLine(process.argv.slice(2));
