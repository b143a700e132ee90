// Package programs finds the programs that tests run as users would: limpet, and the pinned helm, h2spec and kubectl. It
// knows when limpet is ready.
//
// It decides where they come from: limpet is built from this checkout, helm and h2spec by hack/tools/build.sh, and
// kubectl lies beside the control plane (KUBEBUILDER_ASSETS, else hack/controlplane/build.sh). Nothing is looked up in
// PATH, so that the outcome is the same on every machine.
package programs
