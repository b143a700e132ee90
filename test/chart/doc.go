// Package chart checks how Limpet is installed: the Helm chart with any values that its schema takes, and the kustomize
// tree of config/, against a real API server.
//
// It has tests only. What the programs in the pods do is tested in their rooms, and what the docs say of the chart in
// test/docs.
package chart
