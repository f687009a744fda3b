"""Everything that changes people, accounts, keys and commission rules.

Other apps call `from merchants import services as merchants`; the files below are named by content.
"""

from merchants.services.api_keys import (
    ApiKeyInvalid,
    ApiKeyLimit,
    ApiKeyRefused,
    create_api_key,
    find_api_key,
    revoke_api_key,
    roll_api_key,
)
from merchants.services.bank_accounts import (
    BankAccountDecided,
    BankAccountInvalid,
    BankAccountNotFound,
    CooloffInvalid,
    check_account_number,
    read_account_number,
    set_account_cooloff,
)
from merchants.services.commission import (
    ChannelFeeInvalid,
    CommissionPlanTaken,
    CommissionRuleInvalid,
    CommissionRuleOverlap,
    CommissionTiersInvalid,
    add_rule,
    create_plan,
    end_rule,
    replace_rule,
    set_refund_policy,
)
from merchants.services.freezing import freeze_terms, freeze_terms_of_all
from merchants.services.guarantees import GuaranteeInvalid, set_guarantee
from merchants.services.parties import (
    NewPartyShare,
    PartyInvalid,
    PartyReferenceTaken,
    PartyShareInvalid,
    create_party,
)
from merchants.services.platforms import (
    DeadlinePolicy,
    MerchantInvalid,
    MerchantReferenceTaken,
    PlatformInvalid,
    PlatformSlugTaken,
    create_merchant,
    create_platform,
    move_clock,
    reactivate_merchant,
    suspend_merchant,
    update_merchant,
)
from merchants.services.pricing import (
    ExplainedSale,
    NewRule,
    SaleInvalid,
    draft_rules,
    explain_sale,
)
from merchants.services.reserves import ReserveInvalid, set_plan_reserve
from merchants.services.rule_import import CommissionImportInvalid, import_rules

__all__ = [
    "ApiKeyInvalid",
    "ApiKeyLimit",
    "ApiKeyRefused",
    "BankAccountDecided",
    "BankAccountInvalid",
    "BankAccountNotFound",
    "ChannelFeeInvalid",
    "CommissionImportInvalid",
    "CommissionPlanTaken",
    "CommissionRuleInvalid",
    "CommissionRuleOverlap",
    "CommissionTiersInvalid",
    "CooloffInvalid",
    "DeadlinePolicy",
    "ExplainedSale",
    "GuaranteeInvalid",
    "MerchantInvalid",
    "MerchantReferenceTaken",
    "NewPartyShare",
    "NewRule",
    "PartyInvalid",
    "PartyReferenceTaken",
    "PartyShareInvalid",
    "PlatformInvalid",
    "PlatformSlugTaken",
    "ReserveInvalid",
    "SaleInvalid",
    "add_rule",
    "check_account_number",
    "create_api_key",
    "create_merchant",
    "create_party",
    "create_plan",
    "create_platform",
    "draft_rules",
    "end_rule",
    "explain_sale",
    "find_api_key",
    "freeze_terms",
    "freeze_terms_of_all",
    "import_rules",
    "move_clock",
    "reactivate_merchant",
    "read_account_number",
    "replace_rule",
    "revoke_api_key",
    "roll_api_key",
    "set_account_cooloff",
    "set_guarantee",
    "set_plan_reserve",
    "set_refund_policy",
    "suspend_merchant",
    "update_merchant",
]
