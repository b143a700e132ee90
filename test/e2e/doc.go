// Package e2e installs Limpet by its chart on a real cluster, and counts what clients lose while pods and Limpet itself
// are replaced: baskets, requests, streams. It sees that every right of the chart is used, and follows README and
// docs/install.md as a newcomer would.
//
// It has tests only, below the build tag e2e: hack/e2e.sh brings up the cluster for them, and they fail where there is
// none. They need nodes that can be reached from here, and the images that hack/e2e.sh makes.
package e2e
