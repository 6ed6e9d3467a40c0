import { STATUSES } from '../words.ts';
import { type ArrowRow, type EventRow, GUTTER, LINE_HEIGHT, type Row, type TransferRow } from './drawing.ts';

interface LadderRowProps {
  readonly row: Row;
  readonly width: number;
  readonly isSelected: boolean;
  readonly onSelect: (line: number) => void;
}

export function LadderRow({ row, width, isSelected, onSelect }: LadderRowProps) {
  if (row.kind === 'arrow') return <Arrow row={row} width={width} isSelected={isSelected} onSelect={onSelect} />;
  if (row.kind === 'event') return <EventMark row={row} width={width} />;
  if (row.kind === 'transfer') return <TransferMark row={row} width={width} />;
  return (
    <g class="pause" transform={`translate(0 ${row.y})`}>
      <line x1={GUTTER} x2={width - 16} y1={row.height / 2} y2={row.height / 2} />
      <text x={12} y={row.height / 2 + 4}>
        {row.text}
      </text>
    </g>
  );
}

/** As many hues as there are; further legs begin again. */
const LEG_HUES = 6;

export const hueOfLeg = (leg: number): string => `leg-${((leg - 1) % LEG_HUES) + 1}`;

const BASELINE = 24;

function Arrow({ row, width, isSelected, onSelect }: Omit<LadderRowProps, 'row'> & { row: ArrowRow }) {
  const { y, height, line, leg, look, from, to, isRepeat } = row;
  const classes = ['arrow', look, hueOfLeg(leg), isSelected && 'selected', isRepeat && 'repeat'].filter(Boolean);
  return (
    <g
      id={`line-${line}`}
      class={classes.join(' ')}
      role="option"
      aria-selected={isSelected}
      transform={`translate(0 ${y})`}
      onClick={() => onSelect(line)}
    >
      <title>{row.title}</title>
      <rect class="field" x={0} y={0} width={width} height={height} rx={6} />
      <text class="time" x={12} y={BASELINE + 1}>
        {row.time}
      </text>
      <circle class="leg-mark" cx={GUTTER - 18} cy={BASELINE - 3} r={8} />
      <text class="leg-number" x={GUTTER - 18} y={BASELINE + 1}>
        {leg}
      </text>
      {from === to ? <Loop x={from} /> : <Shaft from={from} to={to} />}
      <text class="text" x={row.textX} y={BASELINE - 7}>
        {row.text}
      </text>
    </g>
  );
}

function Shaft({ from, to }: { from: number; to: number }) {
  const way = Math.sign(to - from);
  return (
    <>
      <line class="shaft" x1={from} x2={to - way * 5} y1={BASELINE} y2={BASELINE} />
      <path class="tip" d={`M${to} ${BASELINE}l${-way * 8} -4v8z`} />
    </>
  );
}

/** What stays at its place. */
function Loop({ x }: { x: number }) {
  return (
    <>
      <path class="shaft" d={`M${x + 4} ${BASELINE - 5}h16v8h-9`} />
      <path class="tip" d={`M${x + 4} ${BASELINE + 3}l8 -4v8z`} />
    </>
  );
}

function EventMark({ row, width }: { row: EventRow; width: number }) {
  const { event, y, height, x, lines, title, time } = row;
  const status = event.params.CallStatus;
  const tone = event.event === 'hangup' && status !== 'CALLING' ? STATUSES[status].tone : 'accent';
  return (
    <g class={`event-mark ${tone}`} transform={`translate(0 ${y})`}>
      <rect class="card" x={x - 10} y={3} width={width - x - 10} height={height - 6} rx={6} />
      <rect class="edge" x={x - 10} y={3} width={3} height={height - 6} rx={1.5} />
      {time !== '' && (
        <text class="time" x={12} y={20}>
          {time}
        </text>
      )}
      <text class="title" x={x} y={20}>
        {title}
      </text>
      {lines.map((line, index) => (
        <text key={index} class="words" x={x} y={20 + (index + 1) * LINE_HEIGHT}>
          {line}
        </text>
      ))}
    </g>
  );
}

function TransferMark({ row, width }: { row: TransferRow; width: number }) {
  return (
    <g class={`transfer-mark ${hueOfLeg(row.leg)}`} transform={`translate(0 ${row.y})`}>
      <rect class="card" x={8} y={3} width={width - 16} height={row.height - 6} rx={6} />
      {row.lines.map((line, index) => (
        <text key={index} x={row.x} y={20 + index * LINE_HEIGHT}>
          {line}
        </text>
      ))}
    </g>
  );
}
