// A source's receiver of webhooks on 127.0.0.1: verifies by the reference library of Standard Webhooks, knows what it has by id, and keeps a
// journal of every request. What it answers is up to the test.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { isObject, type JsonObject } from '../../src/json.ts';

export const webhookKey = Buffer.alloc(32, 'receiver');
export const webhookSecret = `whsec_${webhookKey.toString('base64')}`;

/** `cut`: takes it and breaks the connection before it answers; `hang`: neither takes nor answers it. */
export type Answer =
  | number
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | 'cut'
  | 'hang';

export interface Received {
  readonly id: string;
  readonly path: string;
  readonly body: JsonObject;
  readonly headers: Readonly<Record<string, string>>;
  readonly answer: Answer;
  /** It is processed now: verified, of a new id, and not answered with a failure. */
  readonly isNew: boolean;
}

export interface ReceiverOptions {
  readonly port?: number;
  readonly secret?: string;
  /** For each request that the signature of is right. @default 204 */
  readonly answer?: (body: JsonObject) => Answer | Promise<Answer>;
  /** Told before the answer goes out. */
  readonly onReceived?: (entry: Received) => void;
  /** Ids that it has from an earlier life. */
  readonly known?: Iterable<string>;
}

export interface TestReceiver {
  readonly url: string;
  readonly port: number;
  readonly journal: readonly Received[];
  /** What it answers from now on. */
  answerWith(answer: (body: JsonObject) => Answer | Promise<Answer>): void;
  /** Of what was processed, in order. */
  processed(): JsonObject[];
  /** As if it were killed: open connections break. */
  stop(): Promise<void>;
}

export async function startReceiver(options: ReceiverOptions = {}): Promise<TestReceiver> {
  const journal: Received[] = [];
  const verifier = new Webhook(options.secret ?? webhookSecret);
  const known = new Set(options.known);
  let { answer = () => 204 } = options;
  const server = createServer(async (request, response) => {
    const text = await bodyOf(request);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const body = verified(verifier, text, headers);
    const answered = body === undefined ? 401 : await answer(body);
    const status = typeof answered === 'object' ? answered.status : answered;
    const id = headers['webhook-id'] ?? '';
    const isTaken = body !== undefined && (status === 'cut' || (typeof status === 'number' && status < 300));
    const entry = {
      id,
      path: request.url ?? '',
      body: body ?? {},
      headers,
      answer: answered,
      isNew: isTaken && !known.has(id),
    };
    if (isTaken) known.add(id);
    journal.push(entry);
    options.onReceived?.(entry);
    if (status === 'hang') return;
    if (status === 'cut') {
      request.socket.destroy();
      return;
    }
    response.writeHead(status, typeof answered === 'object' ? answered.headers : {});
    response.end(typeof answered === 'object' ? answered.body : undefined);
  });
  const port = await listening(server, options.port ?? 0);
  return {
    url: `http://127.0.0.1:${port}/changes`,
    port,
    journal,
    answerWith(next) {
      answer = next;
    },
    processed: () => journal.filter(({ isNew }) => isNew).map(({ body }) => body),
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Undefined for what the reference library refuses. */
function verified(verifier: Webhook, text: string, headers: Record<string, string>): JsonObject | undefined {
  try {
    const body = verifier.verify(text, headers);
    return isJsonObject(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && isObject(JSON.parse(JSON.stringify(value)));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function listening(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address.port);
    });
  });
}
