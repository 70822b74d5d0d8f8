// Front door of documents/: the readable document for servers that take no care plan of ours. Pure: records in, text out.

export { unnamedPlaces } from './directory.ts';
export { type DocumentFacts, type DocumentInput, documentFacts } from './facts.ts';
export { findMarker, markerOf } from './marker.ts';
export { renderMessage, renderMessageTakenBack } from './message.ts';
export { noteFacts, noteHead, renderNote } from './note.ts';
export type { Frame } from './page.ts';
export type { Rendered } from './rendered.ts';
export { type RetractionFrame, renderRetraction } from './retraction.ts';
export { renderText } from './text.ts';
export { urgency } from './urgency.ts';
export { renderXhtml } from './xhtml.ts';
