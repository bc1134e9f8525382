"""The rules by name: what each finding points at, and one sentence on it in Chinese and in English."""

from enum import StrEnum


class Rule(StrEnum):
    """One check. The first group looks at bytes, the rest at what the entries say (DESIGN, section 4)."""

    # --- bytes ---
    CHECKPOINT_FORM = "checkpoint-form"
    CHECKPOINT_SIGNATURE = "checkpoint-signature"
    CHECKPOINT_QUORUM = "checkpoint-quorum"
    CHECKPOINT_ROOT = "checkpoint-root"
    CHECKPOINT_CONSISTENT = "checkpoint-consistent"
    RECEIPT = "receipt"
    RECEIPT_CODE = "receipt-code"
    BUNDLE_MISSING = "bundle-missing"
    BUNDLE_FORM = "bundle-form"
    TILE_MISSING = "tile-missing"
    TILE_HASH = "tile-hash"
    SEQ_DENSE = "seq-dense"
    PREV_CHAIN = "prev-chain"
    CANONICAL = "canonical"
    # --- an entry by itself ---
    ENTRY_FORM = "entry-form"
    KIND_KNOWN = "kind-known"
    TIME_ORDER = "time-order"
    BUSINESS_DATE = "business-date"
    TEXT_FORM = "text-form"
    PARTS = "parts"
    # --- set-up ---
    LOG_OPENED = "log-opened"
    ID_FORM = "id-form"
    ID_UNIQUE = "id-unique"
    ORG_KNOWN = "org-known"
    FUND_KNOWN = "fund-known"
    EVENT_LABEL = "event-label"
    STAFF_FORM = "staff-form"
    POLICY_FORM = "policy-form"
    # --- postings ---
    POLICY_FIRST = "policy-first"
    POSTING_COUNT = "posting-count"
    POSTING_ACCOUNT = "posting-account"
    POSTING_UNIT = "posting-unit"
    POSTING_SOURCE = "posting-source"
    POSTING_SELF = "posting-self"
    POSTING_QUANTITY = "posting-quantity"
    POSTINGS_OF_KIND = "postings-of-kind"
    LINE_TILED = "line-tiled"
    SPENT_AFTER_CREDIT = "spent-after-credit"
    SPENT_ONCE = "spent-once"
    SPENT_HELD = "spent-held"
    # --- which positions an outflow takes ---
    FIRST_IN_FIRST_OUT = "first-in-first-out"
    OLDEST_LINE_FIRST = "oldest-line-first"
    TARGET_CITED = "target-cited"
    AVAILABLE = "available"
    # --- the donor's intent ---
    RESTRICTION = "restriction"
    SPENDING = "spending"
    RECIPIENT = "recipient"
    RETURN_HOME = "return-home"
    CONSENT = "consent"
    REVERSAL = "reversal"
    REVERSED_ONCE = "reversed-once"
    RIGHT_ENTRY = "right-entry"
    RIGHT_AMOUNT = "right-amount"
    RIGHTED_ONCE = "righted-once"
    PAYMENT_REGION = "payment-region"
    FEE_CLAUSE = "fee-clause"
    CURRENCY = "currency"
    MANAGEMENT_CEILING = "management-ceiling"
    # --- periods ---
    PERIOD_OPEN = "period-open"
    PERIOD_CLOSING = "period-closing"
    PERIOD_ROOT = "period-root"
    PLEDGE = "pledge"
    # --- stamps ---
    STAMP_FORM = "stamp-form"
    STAMP_ROOT = "stamp-root"
    STAMP_IMPRINT = "stamp-imprint"
    STAMP_SIGNATURE = "stamp-signature"
    # --- ends ---
    CLOSED_EMPTY = "closed-empty"
    CLOSED_UNTOUCHED = "closed-untouched"
    # --- four eyes ---
    ROLE_OF_MAKER = "role-of-maker"
    ROLE_OF_CHECKER = "role-of-checker"
    FOUR_EYES = "four-eyes"
    APPROVALS = "approvals"
    DECISION_DOCUMENT = "decision-document"
    PROPOSAL_FORM = "proposal-form"
    PROPOSAL_OPEN = "proposal-open"
    PROPOSAL_AS_MADE = "proposal-as-made"
    PROPOSAL_COMMITMENT = "proposal-commitment"
    PROPOSAL_HOLDS = "proposal-holds"
    APPROVAL_EFFECT = "approval-effect"
    PROPOSAL_EXPIRY = "proposal-expiry"
    # --- gifts, imports, the loop ---
    DIGEST_FORM = "digest-form"
    REFERENCE_UNIQUE = "reference-unique"
    IMPORT_ROW = "import-row"
    IMPORT_AGREES = "import-agrees"
    IMPORT_COMPLETED = "import-completed"
    CAMPAIGN = "campaign"
    AGREEMENT = "agreement"
    FISCAL_AMOUNT = "fiscal-amount"
    FISCAL_ONCE = "fiscal-once"
    CONFIRMATION = "confirmation"
    PERSONS_PROTECTED = "persons-protected"
    ERASURE = "erasure"
    # --- the tables of a database, for who runs it (ledger/store/audit) ---
    TABLE_GUARANTEES = "table-guarantees"
    TABLE_ENTRY = "table-entry"
    TABLE_REPLAY = "table-replay"
    TABLE_ROW = "table-row"
    TABLE_HEAD = "table-head"
    TABLE_TILE = "table-tile"
    TABLE_CHECKPOINT = "table-checkpoint"
    TABLE_KEPT = "table-kept"
    OUTSIDE_CHECKPOINT = "outside-checkpoint"


WORDS: dict[Rule, tuple[str, str]] = {
    Rule.CHECKPOINT_FORM: ("检查点格式正确", "the checkpoint is a signed note of three lines"),
    Rule.CHECKPOINT_SIGNATURE: ("检查点由可信密钥签名", "a key you trust signed the checkpoint"),
    Rule.CHECKPOINT_QUORUM: ("足够的见证人已会签", "enough witnesses cosigned the checkpoint"),
    Rule.CHECKPOINT_ROOT: ("条目重算出的根与检查点一致", "the entries hash to the root that was signed"),
    Rule.CHECKPOINT_CONSISTENT: ("与先前保存的检查点一致", "the log continues the checkpoint you saved"),
    Rule.RECEIPT: ("回执仍然成立", "the receipt still holds in this log"),
    Rule.RECEIPT_CODE: ("收据编号在账本中", "the receipt code opens an entry of this log"),
    Rule.BUNDLE_MISSING: ("已签名范围内的条目都在", "every entry below the signed size is served"),
    Rule.BUNDLE_FORM: ("条目包格式正确", "a bundle holds exactly its entries"),
    Rule.TILE_MISSING: ("哈希块都在", "every tile below the signed size is served"),
    Rule.TILE_HASH: ("哈希块与条目一致", "tiles hold the hashes of the entries"),
    Rule.SEQ_DENSE: ("编号连续", "entries are numbered from 0 without gaps"),
    Rule.PREV_CHAIN: ("哈希链相连", "each entry names the hash of the one before"),
    Rule.CANONICAL: ("规范 JSON", "an entry is canonical JSON in the ledger's profile"),
    Rule.ENTRY_FORM: ("条目字段符合该种类", "an entry has the fields of its kind, absent where empty"),
    Rule.KIND_KNOWN: ("种类与版本已知", "kind and version are known to this verifier"),
    Rule.TIME_ORDER: ("时间不倒退", "the time of entries never goes back"),
    Rule.BUSINESS_DATE: ("业务日期有效且不在未来", "the business date is a day, not after the entry's"),
    Rule.TEXT_FORM: ("文字为一至五百个可见字符", "texts have 1 to 500 printable characters"),
    Rule.PARTS: ("拆分的条目前后相接", "the parts of one effect follow one another to the last"),
    Rule.LOG_OPENED: ("首条开启账本", "entry 0 opens the log, with its origin and two founders"),
    Rule.ID_FORM: ("编号格式正确", "ids and codes have their published form"),
    Rule.ID_UNIQUE: ("编号不重复", "an id is given once"),
    Rule.ORG_KNOWN: ("机构已登记", "the organisation is registered"),
    Rule.FUND_KNOWN: ("基金已设立", "the fund was opened"),
    Rule.EVENT_LABEL: ("事件已登记且与基金一致", "the event was declared, and is no other than the fund's"),
    Rule.STAFF_FORM: ("人员代号与职责有效", "staff are pseudonyms with known roles; two administrators stay"),
    Rule.POLICY_FORM: ("审批规则有效", "the policy names kinds that can wait, with ascending tiers"),
    Rule.POLICY_FIRST: ("设定规则前不记账", "nothing moves before the first policy"),
    Rule.POSTING_COUNT: ("每条至多五百笔", "an entry has 500 postings at most"),
    Rule.POSTING_ACCOUNT: ("科目存在", "postings are between known accounts"),
    Rule.POSTING_UNIT: ("计量单位正确", "postings are in a unit of both accounts"),
    Rule.POSTING_SOURCE: ("来源与去向的类别正确", "only sources have no line, and they only give"),
    Rule.POSTING_SELF: ("不自转", "a posting has two different accounts"),
    Rule.POSTING_QUANTITY: ("数量为正且不越界", "quantities are positive and lines end at 2^53-1"),
    Rule.POSTINGS_OF_KIND: ("分录符合该种类", "postings are those of the entry's kind and body"),
    Rule.LINE_TILED: ("账户位置首尾相接", "a credit takes the next positions of its line"),
    Rule.SPENT_AFTER_CREDIT: ("先收后支", "positions are spent after an earlier entry credited them"),
    Rule.SPENT_ONCE: ("不重复支出", "a position is spent once"),
    Rule.SPENT_HELD: ("不动用他人占用的款项", "what another proposal holds is not taken"),
    Rule.FIRST_IN_FIRST_OUT: ("先进先出", "an outflow takes the lowest free positions, in whole runs"),
    Rule.OLDEST_LINE_FIRST: ("先用最早的款项", "a payment exhausts the line with the oldest money first"),
    Rule.TARGET_CITED: ("只动用所引条目的款项", "a targeted outflow takes the cited entry's positions in order"),
    Rule.AVAILABLE: ("可用余额不为负", "what is available is never negative"),
    Rule.RESTRICTION: ("限定用途得到遵守", "restricted money reaches only projects that fit"),
    Rule.SPENDING: ("支出类别为基金所允许", "the fund allows this kind of spending"),
    Rule.RECIPIENT: ("受助方为捐赠人所限定", "the payee is the recipient the fund names"),
    Rule.REVERSAL: ("更正收回全部剩余并如实说明", "a reversal takes back all that is left, and says what had moved"),
    Rule.REVERSED_ONCE: ("一条只更正一次", "an entry is taken back once"),
    Rule.CONSENT: ("改变用途经捐赠人同意", "another purpose has the donor's consent, or is as narrow as before"),
    Rule.RETURN_HOME: ("退回原账户", "what comes back goes to the account it left"),
    Rule.RIGHT_ENTRY: (
        "更正对应已撤销的同类记录",
        "a right entry cites one of its kind and organisation that was taken back, and keeps its reference",
    ),
    Rule.RIGHT_AMOUNT: ("更正后的金额正确", "a right entry moves the right amount less what had moved on before"),
    Rule.RIGHTED_ONCE: ("一条记录只更正一次", "what was taken back has one right entry at most"),
    Rule.PAYMENT_REGION: ("付款地区与项目一致", "a payment lies in its project's region or names a wider one"),
    Rule.FEE_CLAUSE: ("手续费符合基金条款", "a fee is what the fund's clause says, at receipt and later"),
    Rule.CURRENCY: (
        "外币捐款按所列汇率入账，汇兑损失不超过其金额",
        "a gift in another currency is booked at the rate it names, and loses no more",
    ),
    Rule.MANAGEMENT_CEILING: ("管理费不超过条款上限", "a year's management cost stays within the fund's clause"),
    Rule.PERIOD_OPEN: ("不记入已结账期间", "nothing is dated into a closed period"),
    Rule.PERIOD_CLOSING: (
        "期间首尾相接地结账",
        "a closed period follows the last one, is over, awaits no rows",
    ),
    Rule.PERIOD_ROOT: ("结账时的试算平衡表一致", "a period is closed with the root of its trial balance"),
    Rule.PLEDGE: ("认捐只是承诺，且只了结一次", "a pledge moves nothing and ends once"),
    Rule.STAMP_FORM: ("时间戳所指检查点在其之前", "a stamp is of a checkpoint of the past, its token in base64"),
    Rule.STAMP_ROOT: ("时间戳所指的根是本账本当时的根", "the root that was stamped is this log's at that size"),
    Rule.STAMP_IMPRINT: ("时间戳令牌对应该检查点", "the token of a stamp is over the checkpoint that it names"),
    Rule.STAMP_SIGNATURE: ("时间戳由所指定的机构签发", "an authority that you named signed the token"),
    Rule.CLOSED_EMPTY: ("关闭时已清空", "a fund or project is closed once, empty, with its residue told"),
    Rule.CLOSED_UNTOUCHED: ("关闭后不再变动", "nothing moves in or out of what is closed"),
    Rule.ROLE_OF_MAKER: ("经办人当时有职责", "the maker held the role then"),
    Rule.ROLE_OF_CHECKER: ("复核人当时有职责", "the checker held the role then"),
    Rule.FOUR_EYES: ("经办与复核为不同的人", "maker and checkers are different people, each once"),
    Rule.APPROVALS: ("审批人数足够", "enough people approved, as the policy of then asked"),
    Rule.DECISION_DOCUMENT: ("列明集体决策文号", "a decision document is named from the policy's amount on"),
    Rule.PROPOSAL_FORM: ("申请内容完整", "a proposal holds what its command would take"),
    Rule.PROPOSAL_OPEN: ("申请只办结一次", "a proposal is open until it is resolved, once"),
    Rule.PROPOSAL_AS_MADE: ("办理与申请一致", "kind, maker and organisation are those proposed"),
    Rule.PROPOSAL_COMMITMENT: ("内容与承诺一致", "the body opens the proposal's commitment"),
    Rule.PROPOSAL_HOLDS: ("动用的正是所占用的", "the effect takes exactly what the proposal held, to where it said"),
    Rule.APPROVAL_EFFECT: ("审批齐备即办理", "the last approval and the effect stand side by side"),
    Rule.PROPOSAL_EXPIRY: (
        "申请按期限作废",
        "a proposal is approved in the policy's days, and expires after them",
    ),
    Rule.DIGEST_FORM: ("承诺为哈希值", "commitments are SHA-256 in hex"),
    Rule.REFERENCE_UNIQUE: ("渠道流水不重复", "a channel reference is entered once"),
    Rule.IMPORT_ROW: ("导入行号递增", "rows of an open import come in ascending order"),
    Rule.IMPORT_AGREES: ("导入与批准一致", "rows stay within what was approved"),
    Rule.IMPORT_COMPLETED: ("导入结清", "entered and rejected rows make up what was approved"),
    Rule.CAMPAIGN: ("捐款不早于所属募捐活动", "a gift is of its fund's campaign, which is known and had begun"),
    Rule.AGREEMENT: ("大额捐款有书面协议", "a gift from the policy's amount on has a written agreement"),
    Rule.FISCAL_AMOUNT: ("票据金额为捐款减去已退部分", "a fiscal receipt is over what stands of a gift"),
    Rule.FISCAL_ONCE: ("一笔捐款至多一张有效票据", "a gift has one fiscal receipt that holds, the next cites the last"),
    Rule.CONFIRMATION: ("签收对应付款且不超额", "a confirmation or feedback cites a payment, and not more than it"),
    Rule.PERSONS_PROTECTED: ("少于五人不细分", "below five persons neither count nor place is exact"),
    Rule.ERASURE: ("个人信息的删除对应一笔捐款，且只有一次", "an erasure cites a gift of its organisation, once"),
    Rule.TABLE_GUARANTEES: (
        "约束、触发器与权限齐备",
        "constraints, triggers and grants are as the migrations made them",
    ),
    Rule.TABLE_ENTRY: ("条目表与条目字节一致", "the columns beside an entry's bytes say what the bytes say"),
    Rule.TABLE_REPLAY: ("条目可以重放成表", "the entries can be replayed into tables"),
    Rule.TABLE_ROW: ("各表与重放结果一致", "every row is what the replay of the entries gives"),
    Rule.TABLE_HEAD: ("账本末端与最后一条一致", "the head is the last entry"),
    Rule.TABLE_TILE: ("存储的哈希块与条目一致", "the stored tiles hold the hashes of the entries"),
    Rule.TABLE_CHECKPOINT: ("存储的检查点成立", "every stored checkpoint is signed and is the root of its entries"),
    Rule.TABLE_KEPT: ("回执与保管记录齐备", "what is kept beside the entries is there for each of them, once"),
    Rule.OUTSIDE_CHECKPOINT: ("库外检查点与库内一致", "the checkpoint outside the database agrees with the database"),
}
