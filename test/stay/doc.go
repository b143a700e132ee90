// Package stay tests Limpet's promise (DESIGN section 1) over real HTTP: the real binary, its real listener, many clients
// with cookie jars, and pods that tell who they are. Each scenario runs twice: against a real API server, and in `dev`
// by editing YAML files.
package stay
