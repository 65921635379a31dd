/** The page's entry. */
import { render } from "preact";
import { App } from "./app.js";
import { connect } from "./store.js";
import { applyTheme } from "./theme.js";

applyTheme();
connect();
const root = document.getElementById("app");
if (root !== null) render(<App />, root);
