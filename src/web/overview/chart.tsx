import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatMinute } from '../calendar.ts';
import { isDark } from '../theme.ts';
import { stackValues } from './series.ts';
import './chart.css';

export interface ChartSeries {
  readonly label: string;
  readonly values: readonly (number | null)[];
  /** Name of a colour of the style sheet, such as `--good`. */
  readonly color: string;
}

interface ChartProps {
  /** What it tells, for whoever can't see it. */
  readonly summary: string;
  /** Epoch milliseconds of the values. */
  readonly times: readonly number[];
  readonly series: readonly ChartSeries[];
  readonly kind: 'line' | 'area' | 'stack';
  readonly height?: number;
  readonly format: (value: number) => string;
  /** Told which of the values the pointer is at; then the names and values are shown elsewhere. */
  readonly onPoint?: (index: number | null) => void;
}

/** Values over time, and in words those that the pointer is at. */
export function Chart({ summary, times, series, kind, height = 150, format, onPoint }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [at, setAt] = useState<number | null>(null);
  const dark = isDark();
  const shape = `${kind} ${dark} ${series.map(({ label }) => label).join()}`;
  const data = makeData(times, series, kind);
  useEffect(() => {
    const element = box.current!;
    const made = new uPlot(
      makeOptions({ element, series, kind, height, format, steps: times.length, setAt: onPoint ?? setAt }),
      data,
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(data), [times, ...series.map(({ values }) => values)]);
  return (
    <figure class="chart">
      {!onPoint && (
        <figcaption>
          {series.map(({ label, values, color }) => (
            <span key={label} class="key">
              <i class="swatch" style={{ background: `var(${color})` }} />
              {label}
              {at !== null && <b class="number">{formatValue(values[at], format)}</b>}
            </span>
          ))}
          {at !== null && <span class="faint number">{formatMinute(times[at]!)}</span>}
        </figcaption>
      )}
      <div ref={box} role="img" aria-label={summary} />
    </figure>
  );
}

const formatValue = (value: number | null | undefined, format: (value: number) => string): string =>
  value === null || value === undefined ? '–' : format(value);

function makeData(
  times: readonly number[],
  series: readonly ChartSeries[],
  kind: ChartProps['kind'],
): uPlot.AlignedData {
  const seconds = times.map((time) => time / 1000);
  const lists = series.map(({ values }) => values);
  // What is highest is painted first, so that what it stands on covers its lower part.
  return [seconds, ...(kind === 'stack' ? stackValues(lists).reverse() : lists)] as uPlot.AlignedData;
}

interface PlotContext extends Pick<ChartProps, 'series' | 'kind' | 'format'> {
  readonly element: HTMLElement;
  readonly height: number;
  readonly steps: number;
  readonly setAt: (index: number | null) => void;
}

function makeOptions({ element, series, kind, height, format, steps, setAt }: PlotContext): uPlot.Options {
  const read = readColors(element);
  const grid = { stroke: read('--line'), width: 1 };
  const axis = { stroke: read('--text-faint'), font: '11px system-ui', ticks: { show: false }, gap: 4 };
  return {
    width: element.clientWidth,
    height,
    padding: [8, 2, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: kind !== 'stack' }, drag: { x: false, y: false } },
    scales: {
      x: {
        range: (_, first, last) => (kind === 'stack' ? widen(first, last, steps) : [first, last]),
      },
      y: { range: (_, __, most) => [0, niceTop(most)] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 19, values: (_, splits) => splits.map((at) => formatMinute(at * 1000)) },
      {
        ...axis,
        grid,
        size: 48,
        space: 34,
        values: (_, splits) => splits.map((value) => (value === 0 ? '0' : format(value))),
      },
    ],
    series: [{}, ...makeSeries(series, kind, read)],
    hooks: { setCursor: [({ cursor }) => setAt(cursor.idx ?? null)] },
  };
}

/** Room for half a bar at both ends. */
function widen(first: number, last: number, steps: number): [number, number] {
  const half = (last - first) / Math.max(1, steps - 1) / 2;
  return [first - half, last + half];
}

const niceTop = (most: number | null): number => Math.max(1, (most ?? 0) * 1.08);

function makeSeries(
  series: readonly ChartSeries[],
  kind: ChartProps['kind'],
  read: (name: string) => string,
): uPlot.Series[] {
  const made = series.map(({ color }): uPlot.Series => {
    const stroke = read(color);
    if (kind === 'stack') {
      return {
        fill: stroke,
        width: 0,
        points: { show: false },
        paths: uPlot.paths.bars!({ size: [0.78, 26], radius: 0 }),
      };
    }
    const line: uPlot.Series = { stroke, width: 1.75, points: { show: false }, spanGaps: true };
    return kind === 'area' ? { ...line, fill: fade(stroke) } : line;
  });
  return kind === 'stack' ? made.reverse() : made;
}

/** `rgb(1, 2, 3)` with little of it. */
const fade = (color: string): string => color.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.14)');

/** Colours of the style sheet as the canvas takes them. */
function readColors(element: HTMLElement): (name: string) => string {
  return (name) => {
    const probe = document.createElement('i');
    probe.style.color = `var(${name})`;
    element.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
}
