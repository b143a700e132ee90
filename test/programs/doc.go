// Package programs builds and finds the programs that tests run: limpet, helm, h2spec and kubectl.
//
// limpet is built from this checkout, helm and h2spec by hack/tools/build.sh. kubectl is taken from the control
// plane (KUBEBUILDER_ASSETS or hack/controlplane/build.sh). PATH is not searched, so that results do not depend on
// the machine.
package programs
