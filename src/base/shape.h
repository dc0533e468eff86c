/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* shape.h - shapes of machines that are not there yet. */
#ifndef KTSTR_BASE_SHAPE_H
#define KTSTR_BASE_SHAPE_H

#include <ktstr/topology.h>

/* What a machine of @topology, which ktstr_topology_check() accepts, will show: every CPU, numbered as
 * ktstr_shape_matches() demands. */
void shape_of_topology(const struct ktstr_topology *topology, struct ktstr_shape *ret_shape);

#endif
