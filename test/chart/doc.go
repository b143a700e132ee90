// Package chart tests the installation of Limpet against a real API server: the Helm chart with all values of its
// schema, and the kustomize tree of config/. Docs about the chart are tested in test/docs.
package chart
