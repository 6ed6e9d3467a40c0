import { useEffect, useRef, useState } from 'preact/hooks';
import type { Call } from '../../api/types.ts';
import { findWindow } from '../parts/list-window.ts';
import { CallRow, heightOf } from './call-row.tsx';

const SPARE = 400;
const NARROW = matchMedia('(max-width: 720px)');

/** Part of the list that the window shows, from the top of the list. */
function useView(list: { readonly current: HTMLElement | null }): { top: number; bottom: number; isNarrow: boolean } {
  const [view, setView] = useState({ top: 0, bottom: innerHeight, isNarrow: NARROW.matches });
  useEffect(() => {
    const look = (): void => {
      const top = -(list.current?.getBoundingClientRect().top ?? 0);
      setView({ top, bottom: top + innerHeight, isNarrow: NARROW.matches });
    };
    look();
    addEventListener('scroll', look, { passive: true });
    addEventListener('resize', look);
    return () => {
      removeEventListener('scroll', look);
      removeEventListener('resize', look);
    };
  }, []);
  return view;
}

interface CallRowsProps {
  readonly calls: readonly Call[];
  readonly label: string;
  /** Those that are over step back. */
  readonly isLive?: boolean;
}

/** Calls below each other; of a long list only what is in view is there. */
export function CallRows({ calls, label, isLive = false }: CallRowsProps) {
  const list = useRef<HTMLUListElement>(null);
  const { top, bottom, isNarrow } = useView(list);
  const heights = calls.map((call) => heightOf(call, isNarrow));
  const { first, end, above, height } = findWindow(heights, top - SPARE, bottom + SPARE);
  return (
    <ul
      class={isLive ? 'call-rows live' : 'call-rows'}
      ref={list}
      aria-label={label}
      style={{ height: `${height}px`, paddingTop: `${above}px` }}
    >
      {calls.slice(first, end).map((call, index) => (
        <CallRow key={call.id} call={call} position={first + index + 1} total={calls.length} />
      ))}
    </ul>
  );
}
