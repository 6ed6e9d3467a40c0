import { existsSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StoreError, StoreFile } from '../deliveries/store-file.ts';
import type { Logger } from '../log.ts';

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/**
 * Opens the store so that calls go on whatever its state: a damaged file is put aside for a new one; where none can be
 * had, memory has to do. @throws StoreError where the folder is missing or the file is of a newer version: the operator
 * can mend that.
 */
export function openStore(path: string, log: Logger): StoreFile {
  try {
    return openSound(path);
  } catch (error) {
    if (!(error instanceof StoreError) || isOperators(path, error)) throw error;
    return isDamaged(error) ? replace(path, error, log) : useMemory(error, log);
  }
}

/** What the start needs can be read. */
function openSound(path: string): StoreFile {
  const file = new StoreFile(path);
  try {
    file.read("SELECT count(*), max(call) FROM deliveries WHERE state = 'pending'");
    file.read('SELECT sum(length(json)) FROM calls');
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

const isOperators = (path: string, { cause }: StoreError): boolean =>
  !isFolder(dirname(path)) || isFolder(path) || (cause as { errcode?: number }).errcode === undefined;

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

const isDamaged = ({ cause }: StoreError): boolean =>
  [SQLITE_CORRUPT, SQLITE_NOTADB].includes((cause as { errcode: number }).errcode & 0xff);

function replace(path: string, { message }: StoreError, log: Logger): StoreFile {
  const aside = `${path}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '')}`;
  try {
    for (const end of ['', '-wal', '-shm']) if (existsSync(path + end)) renameSync(path + end, aside + end);
    const file = new StoreFile(path);
    log.error({ error: message, aside }, 'the store is damaged: it was put aside, and a new one begun');
    return file;
  } catch (error) {
    return useMemory(error as Error, log);
  }
}

function useMemory({ message }: Error, log: Logger): StoreFile {
  log.error({ error: message }, 'the store is of no use: all is kept in memory, and lost at the end');
  return new StoreFile(':memory:');
}
