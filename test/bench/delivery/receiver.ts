// A script that answers at once: tells its port, and at the end how many requests it got.
import { createServer, type AddressInfo } from 'node:net';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK';
let count = 0;

/** Counts the requests in what came, and answers each; returns what is not complete yet. */
function take(text: string, answer: (text: string) => void): string {
  let answers = '';
  for (;;) {
    const end = text.indexOf('\r\n\r\n');
    if (end === -1) break;
    const size = end + 4 + Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0);
    if (text.length < size) break;
    text = text.slice(size);
    count++;
    answers += ANSWER;
  }
  if (answers !== '') answer(answers);
  return text;
}

const server = createServer({ noDelay: true }, (socket) => {
  let rest = '';
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => (rest = take(rest + text, (answers) => socket.write(answers))));
  socket.on('error', () => {});
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
process.on('message', () => process.send!(count));
