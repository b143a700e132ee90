// Package release tests release builds: that they are reproducible, and that the SPDX document lists all linked
// modules. The releases are built by hack/release.sh.
package release
