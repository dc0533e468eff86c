/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* parcel_name.h - how a parcel is known. */
#ifndef KTSTR_RUN_PARCEL_NAME_H
#define KTSTR_RUN_PARCEL_NAME_H

#define PARCEL_MARK    "ktstr-parcel"
#define PARCEL_VERSION "1\n"

#endif
