// Package controlplane runs a real Kubernetes control plane for tests: etcd and kube-apiserver by envtest, with
// Limpet's CustomResourceDefinitions installed. kube-controller-manager can be added for tests that need real
// EndpointSlices.
//
// The programs come from KUBEBUILDER_ASSETS or hack/controlplane/build.sh. Use the package in a TestMain that calls
// Find and then runs in test/sandbox, where pod addresses can be dialed and no process outlives the tests.
package controlplane
