// Location headers: where a server says that it put a resource. Relative or absolute, with or without a version.

export interface ResourceLocation {
  readonly resourceType: string;
  readonly id: string;
  /** From `/_history/<version>`, in the form of a weak ETag. */
  readonly versionTag?: string;
}

export type ReadLocation = { readonly location: ResourceLocation } | 'elsewhere' | 'none';

/**
 * Reads a Location header. The id is opaque. 'elsewhere': it names another host and must not be believed. A difference of
 * scheme or port alone is what a server behind a proxy says of itself, and is taken.
 */
export function readLocation(header: string | undefined, baseUrl: URL): ReadLocation {
  if (header === undefined || !URL.canParse(header, `${baseUrl.href}/`)) {
    return 'none';
  }
  const url = new URL(header, `${baseUrl.href}/`);
  if (url.hostname !== baseUrl.hostname) {
    return 'elsewhere';
  }
  const match = /\/([A-Z][A-Za-z]*)\/([^/]+)(?:\/_history\/([^/]+))?\/?$/.exec(url.pathname);
  const [, resourceType, id, version] = match ?? [];
  if (resourceType === undefined || id === undefined) {
    return 'none';
  }
  return {
    location: {
      resourceType,
      id: decodeOnce(id),
      ...(version !== undefined && { versionTag: `W/"${decodeOnce(version)}"` }),
    },
  };
}

function decodeOnce(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone percent sign: the text is what it is.
    return text;
  }
}
