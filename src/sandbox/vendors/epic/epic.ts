// The `epic` server: what a community partner's backend client meets at an Epic site. Most is read-only, notes and problems can be created,
// the Task of a community referral can be answered, and what goes wrong is told in OperationOutcomes, in HTML, or not at all.

import type { JsonObject } from '../../../json.ts';
import { type BaseTime, VirtualClock } from '../../clock.ts';
import { loadDefinitions } from '../../engine/definitions.ts';
import type { Answer, Engine } from '../../engine/engine.ts';
import { SearchView } from '../../engine/search-view.ts';
import { Store } from '../../engine/store.ts';
import { jsonReply, type Reply, type SandboxRequest } from '../../exchange.ts';
import { Faults } from '../../faults.ts';
import { Journal } from '../../journal.ts';
import type { Handled, SimulatedServer } from '../../serve.ts';
import { checkRights, rightsFor } from './access.ts';
import { createHere } from './create.ts';
import type { Rights } from './grants.ts';
import { opaqueId } from './ids.ts';
import { PatientMatcher } from './match.ts';
import { htmlNotFound, resourceReply } from './media.ts';
import { refused } from './outcome.ts';
import { Sessions } from './paging.ts';
import { readBinary, readHere } from './read.ts';
import { refusalReply, writeReply } from './replies.ts';
import { readCall, targetOf } from './routes.ts';
import { search } from './search.ts';
import { defaultEpicSettings, type EpicSettings, hasQuirk, parseEpicSettings } from './settings.ts';
import type { Site } from './site.ts';
import { epicSmartConfiguration, epicStatement } from './statement.ts';
import { EpicTokens } from './tokens.ts';
import { updateHere } from './update.ts';

const fhirPath = '/epic/api/FHIR/R4';
const tokenPath = '/epic/oauth2/token';
const dayMs = 86_400_000;

export class EpicServer implements SimulatedServer {
  readonly name = 'epic';
  readonly clock: VirtualClock;
  readonly faults = new Faults(fhirPath);
  readonly journal = new Journal();
  readonly authority: EpicTokens;
  readonly #started: string;
  readonly #definitions = loadDefinitions();
  readonly #store = new Store();
  readonly #view = new SearchView();
  readonly #searchCache: Engine['searchCache'] = new Map();
  readonly #matcher = new PatientMatcher();
  readonly #sessions: Sessions;
  readonly #binaryIds = new Map<string, string>();
  #settings = defaultEpicSettings;
  #lastId = 0;
  /** Document calls of the running day. */
  #documents = { day: 0, calls: 0 };

  /** @param time what its clock runs with; default: the real time */
  constructor(time?: BaseTime) {
    this.clock = new VirtualClock(time);
    this.authority = new EpicTokens(this.clock);
    this.#started = new Date(this.clock.now()).toISOString();
    this.#sessions = new Sessions(this.clock);
  }

  get engine(): Engine {
    return {
      definitions: this.#definitions,
      store: this.#store,
      view: this.#view,
      clock: this.clock,
      settings: { ...this.#settings, conditionalCreate: !hasQuirk(this.#settings, 'E23') },
      searchCache: this.#searchCache,
    };
  }

  get latencyMs(): number {
    return this.#settings.latencyMs;
  }

  settings(): EpicSettings {
    return this.#settings;
  }

  configure(change: unknown): void {
    this.#settings = { ...this.#settings, ...parseEpicSettings(change) };
  }

  reset(): void {
    this.clock.real();
    this.faults.set([]);
    this.journal.clear();
    this.authority.clear();
    this.#store.clear();
    this.#view.clear();
    this.#sessions.clear();
    this.#binaryIds.clear();
    this.#settings = defaultEpicSettings;
    this.#lastId = 0;
    this.#documents = { day: 0, calls: 0 };
  }

  async answer(request: SandboxRequest): Promise<Handled> {
    const { pathname, origin } = request.url;
    const tokenUrl = `${origin}${tokenPath}`;
    if (pathname === tokenPath) return nothingWritten(await this.authority.answer(request, tokenUrl, this.#settings));
    if (!pathname.startsWith(`${fhirPath}/`)) return nothingWritten(htmlNotFound());
    const path = pathname.slice(fhirPath.length + 1).replace(/\/$/, '');
    const base = `${origin}${fhirPath}`;
    if (request.method === 'GET' && path === 'metadata') {
      const body = epicStatement(this.#settings, { base, tokenUrl, date: this.#started });
      return nothingWritten(resourceReply(request, this.#settings, { status: 200, body }));
    }
    if (request.method === 'GET' && path === '.well-known/smart-configuration') {
      return nothingWritten(jsonReply(200, epicSmartConfiguration(origin, tokenUrl)));
    }
    try {
      return this.#handle(request, path, base);
    } catch (error) {
      return nothingWritten(refusalReply(request, this.#settings, error));
    }
  }

  /** @throws what refusalReply takes */
  #handle(request: SandboxRequest, path: string, base: string): Handled {
    const target = targetOf(this.#settings, request.method, path);
    const rights = rightsFor(request, this.#settings, this.authority);
    checkRights(rights, this.#settings, target);
    this.#countDocuments(target.type);
    const site = this.#site(base, rights);
    const call = readCall(this.#settings, request, path, base);
    const answerWith = (body: JsonObject) =>
      nothingWritten(resourceReply(request, this.#settings, { status: 200, body }));
    switch (target.kind) {
      case 'search':
        return answerWith(search(site, this.#sessions, target.type, target.offer, call.query));
      case 'match':
        return answerWith(this.#matcher.match(site, call.body));
      case 'read':
        if (target.type === 'Binary') return nothingWritten(readBinary(site, request, target.id));
        return answerWith(readHere(site, target.type, target.id));
      case 'create':
        return this.#write(request, site, () => createHere(site, call, target.type));
      case 'update':
        return this.#write(request, site, () => updateHere(site, call, target.type, target.id));
      default:
        return target.kind satisfies never;
    }
  }

  #write(request: SandboxRequest, site: Site, work: () => Answer): Handled {
    const { result, written } = this.#store.transact(work);
    this.#view.publish(written, this.clock.now(), this.#settings.searchLagMs);
    return { reply: writeReply(request, site, result), committed: true, written };
  }

  #site(base: string, rights: Rights): Site {
    return {
      engine: this.engine,
      settings: this.#settings,
      base,
      rights,
      newId: (type) => {
        do this.#lastId += 1;
        while (this.#store.newest(type, opaqueId(`${type} ${this.#lastId}`)) !== undefined);
        return opaqueId(`${type} ${this.#lastId}`);
      },
      binaryId: (documentId, index) => {
        const key = `${documentId} ${index}`;
        const id = this.#binaryIds.get(key) ?? opaqueId(`Binary ${key}`);
        this.#binaryIds.set(key, id);
        return id;
      },
    };
  }

  /** @throws EpicRefusal 403 beyond the cap of the virtual day (E30) */
  #countDocuments(type: string): void {
    const { documentCap } = this.#settings;
    if (documentCap === 0 || (type !== 'DocumentReference' && type !== 'Binary')) return;
    const day = Math.floor(this.clock.now() / dayMs);
    if (day !== this.#documents.day) this.#documents = { day, calls: 0 };
    this.#documents.calls += 1;
    if (this.#documents.calls > documentCap) throw refused(403, '4135', 'Try again tomorrow.');
  }
}

function nothingWritten(reply: Reply): Handled {
  return { reply, committed: false, written: [] };
}
