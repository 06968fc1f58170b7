import "./banner.js";
import "./model.js";
import { Router } from "./router.js";

const main = document.querySelector("main");

// A real link would change the address, which says what view is shown.
document.querySelector(".skip").onclick = (event) => {
	event.preventDefault();
	main.focus();
};
document.querySelector(".brand").onclick = () => main.querySelector("ll-analyse")?.reset();

await new Router(main).show({ first: true });
await import("./about/first-run.js").then(({ firstRun }) => firstRun()).catch(console.warn);
// Last: without it the page works, but needs the service to open.
navigator.serviceWorker?.register("sw.js", { updateViaCache: "none" }).catch(() => {});
