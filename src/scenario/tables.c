// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <ktstr/scenario.h>

#define P(name_, fallback_, lowest_, highest_) { #name_, fallback_, lowest_, highest_ },
#define WORK_TYPE(name_, group_, about_, params_)                                       \
	[KTSTR_WORK_##name_] = {                                                        \
		.name = #name_, .about = about_, .group = group_, .params = { params_ } \
	},
static const struct ktstr_work_info work_infos[] = {
#include <ktstr/work_types.def>
};
#undef P

#define OP(name_, target_, argument_, about_)                  \
	[KTSTR_OP_##name_] = { .name = #name_,                 \
			       .about = about_,                \
			       .target = KTSTR_WORD_##target_, \
			       .argument = KTSTR_WORD_##argument_ },
static const struct ktstr_step_op_info op_infos[] = {
#include <ktstr/ops.def>
};

enum {
	INVARIANT = KTSTR_INVARIANT,
	TIMING = KTSTR_TIMING,
	HOLDS = KTSTR_HOLDS_ALWAYS,
	AT_MOST = KTSTR_BOUND_ABOVE,
	AT_LEAST = KTSTR_BOUND_BELOW
};

#define CHECK(name_, kind_, relation_, unit_, subject_, about_)                     \
	[KTSTR_JUDGE_##name_] = { .name = #name_,                                   \
				  .unit = unit_,                                    \
				  .about = about_,                                  \
				  .kind = (enum ktstr_check_kind)kind_,             \
				  .relation = (enum ktstr_check_relation)relation_, \
				  .subject = KTSTR_SUBJECT_##subject_ },
static const struct ktstr_check_info check_infos[] = {
#include <ktstr/checks.def>
};

const struct ktstr_work_info *ktstr_work_info(enum ktstr_work_type type)
{
	return (unsigned int)type < KTSTR_WORK_TYPES ? &work_infos[type] : NULL;
}

const struct ktstr_step_op_info *ktstr_step_op_info(enum ktstr_step_op_kind kind)
{
	return kind > KTSTR_OP_none && kind < KTSTR_OP_KINDS ? &op_infos[kind] : NULL;
}

const struct ktstr_check_info *ktstr_check_info(enum ktstr_check_id check)
{
	return check > KTSTR_JUDGE_none && check < KTSTR_JUDGE_CHECKS ? &check_infos[check] : NULL;
}
