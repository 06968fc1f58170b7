// Opens the page where the service cannot be reached. Before these lines the service declares SHELL: the version and
// the files of the page. Only those are ever kept: no answer of the API, and no photo.
const NAME = `lesionlens-${SHELL.version}`;
const FILES = new Set(SHELL.files.map((file) => new URL(file, self.location).pathname));

async function install() {
	const cache = await caches.open(NAME);
	await cache.addAll([...FILES].map((file) => new Request(file, { cache: "no-cache" })));
	await self.skipWaiting();
}

async function activate() {
	const old = (await caches.keys()).filter((name) => name.startsWith("lesionlens-") && name !== NAME);
	await Promise.all(old.map((name) => caches.delete(name)));
	await self.clients.claim();
}

/** The service first, so that a new release is seen at once; the copy where it does not answer, or a proxy for it. */
async function answer(request, pathname) {
	const response = await fetch(request).catch(() => null);
	if (response && response.status < 500) return response;
	return (await (await caches.open(NAME)).match(pathname)) ?? response ?? Response.error();
}

self.oninstall = (event) => event.waitUntil(install());
self.onactivate = (event) => event.waitUntil(activate());
self.onfetch = (event) => {
	const { origin, pathname } = new URL(event.request.url);
	const ours = event.request.method === "GET" && origin === self.location.origin && FILES.has(pathname);
	if (ours) event.respondWith(answer(event.request, pathname));
};
