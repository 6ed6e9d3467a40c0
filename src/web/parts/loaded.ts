import { useEffect, useRef, useState } from 'preact/hooks';

export interface Loaded<T> {
  readonly value: T | undefined;
  readonly error: Error | undefined;
  readonly reload: () => void;
}

/**
 * What `load` yields, anew whenever `key` changes or `reload` is called; the value before is shown until then. Of several
 * under way the last one counts.
 */
export function useLoaded<T>(key: string, load: () => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ value: T | undefined; error: Error | undefined }>({
    value: undefined,
    error: undefined,
  });
  const latest = useRef(0);
  const reload = (): void => {
    const turn = ++latest.current;
    load().then(
      (value) => turn === latest.current && setState({ value, error: undefined }),
      (error: unknown) =>
        turn === latest.current &&
        setState((before) => ({ ...before, error: error instanceof Error ? error : new Error(String(error)) })),
    );
  };
  useEffect(() => {
    reload();
    return () => void latest.current++;
  }, [key]);
  return { ...state, reload };
}
