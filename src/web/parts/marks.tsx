import { type ComponentChildren, Fragment } from 'preact';
import './marks.css';

/** A state: a dot of its colour, and always the word, too. */
export function State({ tone, children }: { tone: string; children: ComponentChildren }) {
  return (
    <span class={`state ${tone}`}>
      <i class="dot" />
      {children}
    </span>
  );
}

/** What wants to be seen. */
export function Tag({ tone = 'dull', children }: { tone?: string; children: ComponentChildren }) {
  return <span class={`tag ${tone}`}>{children}</span>;
}

/** An address, which breaks between its parts where it has to. */
export function Url({ text }: { text: string }) {
  return (
    <code class="url" title={text}>
      {text.split(/(?<=[^/:][/?&])/).map((part, index) => (
        <Fragment key={index}>
          {index > 0 && <wbr />}
          {part}
        </Fragment>
      ))}
    </code>
  );
}

/** An extended number; its prefix steps back, for it is nearly always the same. */
export function Extension({ number }: { number: string }) {
  const star = number.indexOf('*') + 1;
  if (star <= 1 || star === number.length) return <span class="extension">{number}</span>;
  return (
    <span class="extension">
      <span class="prefix">{number.slice(0, star)}</span>
      {number.slice(star)}
    </span>
  );
}
