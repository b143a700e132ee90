// Package controlplane runs a real Kubernetes control plane for tests: etcd and kube-apiserver by way of envtest, with
// Limpet's CustomResourceDefinitions installed, and kube-controller-manager for those who need real EndpointSlices.
//
// It decides where the programs come from (KUBEBUILDER_ASSETS, else hack/controlplane/build.sh). Use it from a TestMain
// that calls Find, and then runs in test/sandbox: pod addresses can be dialled, and whatever happens no process is left behind.
package controlplane
