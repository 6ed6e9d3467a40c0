import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import './panel.css';

interface PageProps {
  readonly title: string;
  /** What stands beside the heading. */
  readonly beside?: ComponentChildren;
  readonly tools?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A page with its heading, which gets the focus when the page is come to, so that screen readers say where one is. */
export function Page({ title, beside, tools, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Ringside`;
  }, [title]);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <div class="page">
      <div class="page-head">
        <h1 tabIndex={-1} ref={heading}>
          {title}
        </h1>
        {beside}
        {tools !== undefined && <div class="tools">{tools}</div>}
      </div>
      {children}
    </div>
  );
}

interface PanelProps {
  readonly title?: string;
  readonly beside?: ComponentChildren;
  /** Its content goes to the edges, as tables do. */
  readonly isFlush?: boolean;
  readonly children: ComponentChildren;
}

export function Panel({ title, beside, isFlush = false, children }: PanelProps) {
  return (
    <section class={isFlush ? 'panel flush' : 'panel'} aria-label={title}>
      {title !== undefined && (
        <div class="panel-head">
          <h2>{title}</h2>
          {beside}
        </div>
      )}
      {children}
    </section>
  );
}

/** Where there is nothing to show: why, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

interface FailureProps {
  readonly error: Error;
  readonly onRetry: () => void;
}

export function Failure({ error, onRetry }: FailureProps) {
  return (
    <div class="empty" role="alert">
      <p class="empty-title">This could not be loaded</p>
      <p>{error.message}</p>
      <button type="button" class="button" onClick={onRetry}>
        Try again
      </button>
    </div>
  );
}
