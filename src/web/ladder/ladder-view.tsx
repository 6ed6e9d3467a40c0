import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Ladder } from '../../api/types.ts';
import { findWindow } from '../parts/list-window.ts';
import { type Drawing, drawLadder } from './drawing.ts';
import { LadderRow } from './ladder-row.tsx';
import './ladder.css';

interface LadderViewProps {
  readonly ladder: Ladder;
  readonly showsRepeats: boolean;
  /** Line of the message that is looked at. */
  readonly selected: number | undefined;
  readonly onSelect: (line: number) => void;
}

/** What is drawn above and below what is in view. */
const SPARE = 600;

/** The drawn ladder. The arrow keys go from message to message. */
export function LadderView({ ladder, showsRepeats, selected, onSelect }: LadderViewProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ width: 800, top: 0, height: 800 });
  const drawing = useMemo(
    () => drawLadder(ladder, { width: view.width, showsRepeats }),
    [ladder, view.width, showsRepeats],
  );
  useEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    const look = (): void =>
      setView({ width: element.clientWidth, top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, []);
  const { rows } = drawing;
  const heights = useMemo(() => rows.map(({ height }) => height), [rows]);
  const { first, end } = findWindow(heights, view.top - SPARE, view.top + view.height + SPARE);
  const move = (event: KeyboardEvent): void => {
    const line = nextLine(drawing, selected, event.key);
    if (line === undefined) return;
    event.preventDefault();
    onSelect(line);
    const row = rows.find((candidate) => candidate.kind === 'arrow' && candidate.line === line);
    if (row && scroller.current) reveal(scroller.current, row.y, row.height);
  };
  return (
    <div
      class="ladder"
      ref={scroller}
      role="listbox"
      tabIndex={0}
      aria-label="Messages of the call"
      aria-activedescendant={selected === undefined ? undefined : `line-${selected}`}
      onKeyDown={move}
    >
      <div class="ladder-inner" style={{ width: `${drawing.width}px` }}>
        <LaneHeads drawing={drawing} />
        <svg width={drawing.width} height={drawing.height} role="presentation">
          {drawing.lanes.map(({ x }) => (
            <line key={x} class="lane" x1={x} x2={x} y1={0} y2={drawing.height} />
          ))}
          {rows.slice(first, end).map((row) => (
            <LadderRow
              key={keyOf(row)}
              row={row}
              width={drawing.width}
              isSelected={row.kind === 'arrow' && row.line === selected}
              onSelect={onSelect}
            />
          ))}
        </svg>
      </div>
    </div>
  );
}

const keyOf = (row: Drawing['rows'][number]): string => (row.kind === 'arrow' ? `line ${row.line}` : `at ${row.y}`);

function nextLine({ rows }: Drawing, selected: number | undefined, key: string): number | undefined {
  const lines = rows.flatMap((row) => (row.kind === 'arrow' ? [row.line] : []));
  const index = lines.indexOf(selected ?? -1);
  if (key === 'ArrowDown') return lines[Math.min(lines.length - 1, index + 1)];
  if (key === 'ArrowUp') return lines[Math.max(0, index - 1)];
  if (key === 'Home') return lines[0];
  return key === 'End' ? lines.at(-1) : undefined;
}

function reveal(element: HTMLElement, y: number, height: number): void {
  const { scrollTop, clientHeight } = element;
  const top = y - height;
  const bottom = y + 4 * height;
  if (top < scrollTop) element.scrollTop = top;
  else if (bottom > scrollTop + clientHeight) element.scrollTop = bottom - clientHeight;
}

function LaneHeads({ drawing }: { drawing: Drawing }) {
  return (
    <div class="lane-heads" aria-hidden="true">
      {drawing.lanes.map(({ x, width, label, address }) => (
        <div key={x} class="lane-head" style={{ left: `${x - width / 2}px`, width: `${width}px` }}>
          <b class="cut">{label || '?'}</b>
          <span class="cut" title={address}>
            {address}
          </span>
        </div>
      ))}
    </div>
  );
}
