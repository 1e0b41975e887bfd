/** Which documents Closeread is for. A test compares this with what the server reads. */
import type { DocumentFilter } from "vscode-languageclient/node";

export const PATTERNS = [
  "**/*.{cfg,cjs,containerfile,djhtml,dockerfile,env,htm,html,ini,j2,jinja,jinja2,js,json,jsonc,jsx,mak,mako,mjs,properties,py,pyw,toml,yaml,yml}",
  "**/{.env.*,.envrc,.flaskenv,.npmrc,.pypirc,[Cc]ontainerfile,[Cc]ontainerfile.*,[Dd]ockerfile,[Dd]ockerfile.*}",
];

export const SELECTOR: DocumentFilter[] = [
  ...PATTERNS.map((pattern) => ({ scheme: "file", pattern })),
  ...["python", "javascript"].map((language) => ({ scheme: "untitled", language })),
];
