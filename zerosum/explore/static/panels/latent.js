// Latent: the panel of static/latent/panel.js, its model behind the server.
import { panel } from "../latent/panel.js";
import { remote } from "../latent/remote.js";

export async function show(root, context) {
  return panel(root, context, await remote(context.run));
}
