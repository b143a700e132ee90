// Package e2e tests Limpet on a real cluster. It installs Limpet with its chart, and counts the baskets, requests
// and streams that clients lose while pods and Limpet itself are replaced. It checks that all permissions of the
// chart are used, and follows README and docs/install.md.
//
// The tests have the build tag e2e. hack/e2e.sh starts the cluster; without a cluster, the tests fail. The nodes
// must be reachable, and have the images that hack/e2e.sh builds.
package e2e
